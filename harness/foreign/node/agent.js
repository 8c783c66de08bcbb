// Drives the tls module of Node.js for resumption-harness: JSON lines on stdin and stdout (harness/agent/PROTOCOL.md).
"use strict";

const crypto = require("crypto");
const fs = require("fs");
const net = require("net");
const tls = require("tls");
const { Duplex } = require("stream");
const { hello, knobsOf, LACKS } = require("./hello.js");

const LONGEST = 16777216;
const OPTIONAL = Object.keys(LACKS);
const FIELDS = {
  hello: {},
  context: { as: "name", role: "role", knobs: "object?", files: "object?" },
  free_context: { context: "name" },
  counters: { context: "name" },
  flush: { context: "name", at: "integer" },
  resize_cache: { context: "name", size: "integer" },
  remove: { context: "name", session_id: "bytes" },
  age_sessions: { context: "name", seconds: "integer" },
  has_session: { context: "name", session_id: "bytes" },
  listen: { context: "name", as: "name" },
  connect: { context: "name", as: "name", port: "integer", session: "object?" },
  accept: { listener: "name", as: "name" },
  unlisten: { listener: "name" },
  handshake: { connection: "name" },
  write: { connection: "name", data: "bytes" },
  early_data: { connection: "name", data: "bytes" },
  read_line: { connection: "name" },
  renegotiate: { connection: "name", abbreviated: "boolean?" },
  session: { connection: "name" },
  sessions: { connection: "name" },
  keep_session: { connection: "name" },
  shutdown: { connection: "name" },
  await_end: { connection: "name" },
  release: { connection: "name" },
};
// What createSecureContext says of groups and keys that its OpenSSL does not know.
const UNABLE = [
  ["Failed to set ECDH curve", "does not know each of these groups"],
  ["digital envelope routines::decode error", "does not know keys of this type"],
];
const VERSIONS = { "TLSv1.2": "1.2", "TLSv1.3": "1.3" };

class Failure extends Error {
  constructor(kind, message, more = {}) {
    super(message);
    this.reply = { kind, message, ...more };
  }
}
const usage = (message) => new Failure("usage", message);

function send(id, found) {
  const failed = found instanceof Error;
  const error = failed && (found.reply ?? { kind: "internal", message: String(found.stack) });
  fs.writeSync(1, JSON.stringify(failed ? { id, error } : { id, ok: found ?? {} }) + "\n");
}

function fits(value, kind) {
  switch (kind) {
    case "name":
      return typeof value === "string" && /^[A-Za-z0-9_.-]{1,64}$/.test(value);
    case "role":
      return value === "client" || value === "server";
    case "bytes":
      return typeof value === "string" && /^([0-9A-Fa-f]{2})*$/.test(value);
    case "integer":
      return Number.isInteger(value);
    case "boolean":
      return typeof value === "boolean";
    default:
      return typeof value === "object" && !Array.isArray(value);
  }
}

// The TCP connection as a stream: it knows whether TCP has ended, and the end of TLS does not end it.
class Tap extends Duplex {
  constructor(raw) {
    super({ allowHalfOpen: true });
    this.raw = raw;
    this.tcp = null;
    raw.on("data", (data) => this.push(data));
    raw.on("end", () => this.over("eof"));
    raw.on("error", (error) => this.over(error.code === "ECONNRESET" || error.code === "EPIPE" ? "reset" : "eof"));
  }
  over(how) {
    if (this.tcp === null) {
      this.tcp = how;
      this.push(null);
      this.emit("over");
    }
  }
  _read() {}
  _write(chunk, _encoding, done) {
    this.raw.write(chunk, () => done());
  }
  _final(done) {
    done();
  }
}

// An error of OpenSSL in Node's words: error:0A000418:SSL routines::tlsv1 alert unknown ca: … SSL alert number 48
function queueOf(error) {
  const code = /error:([0-9A-Fa-f]{8}):/.exec(error.message);
  const number = code ? parseInt(code[1], 16) : 0;
  return [{ lib: (number >>> 23) & 0xff, reason: number & 0x7fffff, text: error.message.trim() }];
}

class Connection {
  constructor(context, name, order) {
    Object.assign(this, { context, name, order, requests: [], data: Buffer.alloc(0), wakers: [] });
    Object.assign(this, { sessions: [], keylog: [], errors: [], ending: null, done: false, broken: null, dropped: false });
  }
  wake() {
    for (const wake of this.wakers.splice(0)) wake();
  }
  changed() {
    return new Promise((wake) => this.wakers.push(wake));
  }
  async run(first, begin) {
    try {
      this.raw = await begin();
      this.raw.setNoDelay(true);
      this.tap = new Tap(this.raw);
      this.tap.on("over", () => this.wake());
      send(first.id, {});
    } catch (error) {
      this.failed = error;
      send(first.id, error);
    }
    for (;;) {
      while (this.requests.length === 0 && !this.dropped) await this.changed();
      if (this.dropped) break;
      const one = this.requests.shift();
      let found;
      try {
        found = await this.carryOut(one);
      } catch (error) {
        found = error;
      }
      send(one.id, this.dropped ? usage("the context was freed") : found);
      if (one.verb === "release") return;
    }
    for (const one of this.requests.splice(0)) send(one.id, usage("the context was freed"));
  }
  drop() {
    this.dropped = true;
    this.raw?.destroy();
    this.wake();
  }
  async carryOut(one) {
    if (one.verb in LACKS) throw new Failure("lack", `${one.verb}: ${LACKS[one.verb]}`);
    if (one.verb === "release") return this.release();
    if (one.verb === "session") return { session: this.latest() };
    if (one.verb === "sessions") return { sessions: this.sessions };
    if (this.failed) throw this.failed;
    if (one.verb === "handshake") return this.handshake();
    if (!this.done) throw usage(`${one.verb} is allowed after a completed handshake`);
    if (one.verb === "write") return this.write(Buffer.from(one.data, "hex"));
    if (one.verb === "read_line") return this.readLine();
    if (one.verb === "shutdown") return this.shutdown();
    while (this.ending === null) await this.changed();
    this.data = Buffer.alloc(0);
    return { ending: this.ending };
  }
  async handshake() {
    const { context } = this;
    const shared = { secureContext: context.secure, ALPNProtocols: context.options.ALPNProtocols };
    let finished = false;
    const ready = () => {
      finished = true;
      this.wake();
    };
    if (context.role === "client") {
      const options = { ...shared, socket: this.tap, rejectUnauthorized: context.options.rejectUnauthorized };
      options.checkServerIdentity = () => undefined;
      if (context.options.servername) options.servername = context.options.servername;
      if (this.offer) options.session = this.offer;
      this.tls = tls.connect(options);
      this.tls.on("secureConnect", ready);
    } else {
      const { requestCert, rejectUnauthorized } = context.options;
      this.tls = new tls.TLSSocket(this.tap, { ...shared, isServer: true, requestCert, rejectUnauthorized });
      this.tls.on("secure", ready);
    }
    this.tls.on("session", (der) => {
      this.held = { der: der.toString("hex"), handle: null, resumable: null };
      this.sessions.push(this.held);
    });
    this.tls.on("keylog", (line) => this.keylog.push(line.toString().trim()));
    this.tls.on("data", (data) => {
      this.data = Buffer.concat([this.data, data]);
      this.wake();
    });
    this.tls.on("end", () => this.over(this.tap.tcp ?? "close_notify"));
    this.tls.on("close", () => this.over(this.tap.tcp ?? "eof"));
    this.tls.on("error", (error) => {
      this.broken ??= error;
      const queue = queueOf(error);
      if (queue[0].lib) this.errors.push(...queue);
      this.over(/alert number/.test(error.message) || queue[0].lib ? "alert" : (this.tap.tcp ?? "eof"));
    });
    while (!finished && this.ending === null) await this.changed();
    if (!finished) {
      const queue = this.broken ? queueOf(this.broken) : [];
      const known = queue.length > 0 && queue[0].lib;
      const more = known ? { queue } : { queue: [], end: this.tap.tcp ?? "eof" };
      this.failed = new Failure(known ? "tls" : "end", this.broken?.message ?? "the input ended", more);
      throw this.failed;
    }
    this.done = true;
    this.facts = this.observed();
    this.tls.on("secure", () => { this.facts = this.observed(); }); // a renegotiation is complete
    return {};
  }
  // Node emits no session that a TLS 1.2 handshake resumed, and none of more than 10240 bytes; the socket still has it.
  latest() {
    const der = this.tls?.getSession();
    if (der) this.held = { der: der.toString("hex"), handle: null, resumable: null };
    return this.held ?? null;
  }
  over(how) {
    if (this.done) this.latest();
    this.ending ??= how;
    this.wake();
  }
  async write(data) {
    if (this.ending !== null && this.ending !== "close_notify") {
      throw new Failure("end", `the input ended: ${this.ending}`, { end: this.ending, queue: [] });
    }
    await new Promise((done) => this.tls.write(data, done));
    return {};
  }
  async readLine() {
    for (;;) {
      const end = this.data.indexOf(10);
      if (end >= 0) {
        const line = this.data.subarray(0, end + 1);
        this.data = this.data.subarray(end + 1);
        return { data: line.toString("hex"), end: null };
      }
      if (this.ending !== null) {
        const rest = this.data;
        this.data = Buffer.alloc(0);
        return { data: rest.toString("hex"), end: this.ending };
      }
      await this.changed();
    }
  }
  async shutdown() {
    await new Promise((done) => this.tls.end(done));
    return {};
  }
  observed() {
    const socket = this.tls;
    const version = VERSIONS[socket.getProtocol()] ?? null;
    const reused = socket.isSessionReused();
    const chain = [];
    const seen = new Set();
    for (let one = socket.getPeerCertificate(true); one?.raw && !seen.has(one.fingerprint256); one = one.issuerCertificate) {
      seen.add(one.fingerprint256);
      chain.push(one.raw);
    }
    const material = socket.exportKeyingMaterial(32, "EXPORTER-resumption-harness");
    return {
      finished: true,
      reused,
      reused_at_end: reused,
      evidence: `isSessionReused() === ${reused}`,
      version,
      cipher: socket.getCipher().name,
      alpn: socket.alpnProtocol || null,
      server_name: this.context.role === "server" ? socket.servername || null : null,
      peer_certificate: chain.length > 0 || (reused ? null : false), // a resumed client of Node has no certificate
      early_data: "not_sent",
      exporter: crypto.createHash("sha256").update(material).digest("hex"),
    };
  }
  release() {
    const unknown = { finished: false, reused: null, reused_at_end: null, evidence: "", version: null, cipher: null };
    Object.assign(unknown, { alpn: null, server_name: null, peer_certificate: null, early_data: null, tickets: null });
    Object.assign(unknown, { alerts: null, counters: null, new_sessions: null });
    const facts = { ...unknown, ...this.facts, keylog: this.keylog, errors: this.errors };
    if (this.context.role === "client" && this.tls) facts.new_sessions = this.sessions.length;
    if (this.raw) {
      this.raw.resume();
      this.raw.end(() => this.raw.destroy());
    }
    this.context.agent.connections.delete(this.name);
    return { facts };
  }
}

class Agent {
  contexts = new Map();
  listeners = new Map();
  connections = new Map();

  serve(line) {
    let id = null;
    try {
      if (line === null) throw usage(`a line has at most ${LONGEST} bytes`);
      let message;
      try {
        message = JSON.parse(line);
      } catch {
        throw usage("a request is one JSON object");
      }
      if (!fits(message, "object") || message === null) throw usage("a request is one JSON object");
      if (!Number.isInteger(message.id)) throw usage("id must be an integer");
      id = message.id;
      const found = this.carryOut(checked(message));
      if (found !== undefined) send(id, found);
    } catch (error) {
      send(id, error);
    }
  }
  known(objects, name, what) {
    if (!objects.has(name)) throw usage(`no ${what} ${name}; there are: ${[...objects.keys()].join(", ") || "none"}`);
    return objects.get(name);
  }
  unused(objects, name, what) {
    if (objects.has(name)) throw usage(`there is already a ${what} ${name}; choose another name`);
  }
  carryOut(one) {
    if ("connection" in FIELDS[one.verb]) {
      const connection = this.known(this.connections, one.connection, "connection");
      connection.requests.push(one);
      connection.wake();
      return undefined;
    }
    if (one.verb === "hello") return hello();
    if (one.verb === "context") return this.makeContext(one);
    if (one.verb === "accept") return this.accept(one);
    if (one.verb === "unlisten") {
      this.unlisten(one.listener, this.known(this.listeners, one.listener, "listener"));
      return {};
    }
    const context = this.known(this.contexts, one.context, "context");
    if (OPTIONAL.includes(one.verb)) throw new Failure("lack", `${one.verb}: ${LACKS[one.verb]}`);
    if (one.verb === "listen") return this.listen(one, context);
    if (one.verb === "connect") return this.connect(one, context);
    for (const [name, listener] of this.listeners) if (listener.context === context) this.unlisten(name, listener);
    for (const [name, connection] of this.connections) {
      if (connection.context === context) {
        connection.drop();
        this.connections.delete(name);
      }
    }
    this.contexts.delete(one.context);
    return {};
  }
  makeContext(one) {
    this.unused(this.contexts, one.as, "context");
    const { secure, options } = configure(one.role, one.knobs ?? {}, one.files ?? {});
    this.contexts.set(one.as, { agent: this, role: one.role, secure, options });
    return {};
  }
  listen(one, context) {
    this.unused(this.listeners, one.as, "listener");
    const listener = { context, arrived: [], waiting: [] };
    listener.server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true }, (raw) => {
      raw.on("error", () => {});
      listener.arrived.push(raw);
      this.match(listener);
    });
    this.listeners.set(one.as, listener);
    listener.server.listen({ port: 0, host: "127.0.0.1", backlog: 511 }, () => {
      send(one.id, { port: listener.server.address().port });
    });
    return undefined;
  }
  match(listener) {
    while (listener.arrived.length > 0 && listener.waiting.length > 0) {
      const raw = listener.arrived.shift();
      listener.waiting.shift().found(raw);
      raw.resume();
    }
  }
  unlisten(name, listener) {
    listener.server.close();
    for (const raw of listener.arrived) raw.destroy();
    for (const { lost } of listener.waiting.splice(0)) lost(usage("the listener was closed"));
    this.listeners.delete(name);
  }
  open(one, context, begin) {
    this.unused(this.connections, one.as, "connection");
    const made = new Connection(context, one.as);
    this.connections.set(one.as, made);
    made.run(one, begin);
    return made;
  }
  accept(one) {
    const listener = this.known(this.listeners, one.listener, "listener");
    this.open(one, listener.context, () => {
      return new Promise((found, lost) => {
        listener.waiting.push({ found, lost });
        this.match(listener);
      });
    });
    return undefined;
  }
  connect(one, context) {
    const session = one.session;
    if (session && !session.der) throw new Failure("lack", "session import: Node reads the DER of OpenSSL alone");
    const made = this.open(one, context, () => {
      return new Promise((found, lost) => {
        const raw = net.connect({ host: "127.0.0.1", port: one.port, allowHalfOpen: true }, () => found(raw));
        raw.on("error", (error) => lost(new Failure("end", error.message, { end: "reset", queue: [] })));
      });
    });
    if (session) made.offer = Buffer.from(session.der, "hex");
    return undefined;
  }
}

function checked(message) {
  const { verb } = message;
  const fields = FIELDS[verb];
  if (typeof verb !== "string" || !Object.hasOwn(FIELDS, verb)) {
    throw usage(`unknown verb ${verb}; there are: ${Object.keys(FIELDS).join(", ")}`);
  }
  for (const name of Object.keys(message)) {
    if (name !== "id" && name !== "verb" && !Object.hasOwn(fields, name)) {
      throw usage(`${verb} has no field ${name}; it has: ${Object.keys(fields).join(", ")}`);
    }
  }
  for (const [name, kind] of Object.entries(fields)) {
    const value = message[name] ?? null;
    if (value === null && kind.endsWith("?")) continue;
    if (!fits(value, kind.replace("?", ""))) throw usage(`${name} of ${verb} must be of type ${kind}`);
  }
  return message;
}

function configure(role, knobs, files) {
  const limits = knobsOf(role);
  const given = {};
  const options = { rejectUnauthorized: false, requestCert: false };
  for (const [name, value] of Object.entries(knobs)) {
    if (!Object.hasOwn(limits, name)) {
      throw usage(`unknown knob ${name}; a ${role} has: ${Object.keys(limits).join(", ")}`);
    }
    const limit = limits[name];
    if (value === null) continue;
    if (typeof limit === "string") throw new Failure("lack", `${name}: ${limit}`);
    if (limit && !limit.some((one) => JSON.stringify(one) === JSON.stringify(value))) {
      throw new Failure("lack", `${name}: Node has only ${JSON.stringify(limit)}`);
    }
    if (name === "versions") {
      const sorted = [...value].sort();
      given.minVersion = `TLSv${sorted[0]}`;
      given.maxVersion = `TLSv${sorted.at(-1)}`;
    } else if (name === "ciphers") given.ciphers = `${value}:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256`;
    else if (name === "groups") given.ecdhCurve = value;
    else if (name === "alpn") options.ALPNProtocols = value;
    else if (name === "timeout") given.sessionTimeout = value;
    else if (name === "server_name") options.servername = value;
    else if (name === "session_id_context") given.sessionIdContext = value;
    else if (name === "verify") {
      options.requestCert = value !== "none";
      options.rejectUnauthorized = value === "required";
    } else if (name === "tickets") {
      if (!value) given.secureOptions = crypto.constants.SSL_OP_NO_TICKET;
    }
  }
  for (const [name, option] of Object.entries({ ca: "ca", certificate: "cert", key: "key" })) {
    if (files[name]) given[option] = fs.readFileSync(files[name]);
  }
  given.ca ??= [];
  if (role === "server") given.sessionIdContext = "resumption-harness"; // tls.Server sets one, too: the hash of its argv
  try {
    return { secure: tls.createSecureContext(given), options };
  } catch (error) {
    const unable = UNABLE.find(([message]) => error.message.includes(message));
    if (unable) throw new Failure("lack", `context: OpenSSL ${process.versions.openssl} of this Node ${unable[1]}`);
    throw new Failure("tls", error.message, { queue: queueOf(error) });
  }
}

const agent = new Agent();
let rest = Buffer.alloc(0);
let long = false;
process.stdin.on("data", (data) => {
  rest = Buffer.concat([rest, data]);
  for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
    agent.serve(long || end > LONGEST ? null : rest.subarray(0, end).toString());
    long = false;
    rest = rest.subarray(end + 1);
  }
  if (rest.length > LONGEST) {
    long = true;
    rest = Buffer.alloc(0);
  }
});
process.stdin.on("end", () => process.exit(0));
process.on("SIGTERM", () => process.exit(0));
