// What Node can do and what it cannot, with the reasons.
"use strict";

const NO_COUNTERS = "Node has no counters of sessions";
const NO_CACHE = "a server of Node caches nothing itself: its events newSession and resumeSession are the program's";
const NO_RENEGOTIATION = "the agent does not renegotiate";
const NO_EARLY_DATA = "Node has no early data";

const LACKS = {
  counters: NO_COUNTERS,
  flush: NO_CACHE,
  resize_cache: NO_CACHE,
  remove: NO_CACHE,
  age_sessions: "Node gives no access to the sessions that a server issues",
  has_session: NO_CACHE,
  renegotiate: NO_RENEGOTIATION,
  early_data: NO_EARLY_DATA,
  keep_session: "Node gives a session as DER alone",
};

const CAPABILITIES = {
  "session data": null,
  "session fields": null,
  "session copy": null,
  "session import": null,
  "session before ticket": null,
  "session in memory": LACKS.keep_session,
  "every ticket": null,
  "new-session callback": null,
  "server name": "a client's TLSSocket does not tell it",
  "negotiated group": "Node tells the ephemeral key of a server to its client alone",
  "peer chain": "getPeerCertificate also adds certificates that the peer has not sent",
  exporter: null,
  is_resumable: "Node does not say whether a session can be resumed",
  counters: NO_COUNTERS,
  "running counters": NO_COUNTERS,
  flush: NO_CACHE,
  "resize cache": NO_CACHE,
  "remove session": NO_CACHE,
  "age server session": LACKS.age_sessions,
  renegotiation: NO_RENEGOTIATION,
  "abbreviated renegotiation": NO_RENEGOTIATION,
  concurrent: null,
  "matching session id": NO_CACHE,
  "close client-only": null,
  "close server-only": null,
  "early data": NO_EARLY_DATA,
  "early data content": NO_EARLY_DATA,
  clock: null,
  "key log": null,
};

const UNUSED = "the agent has no code for it";
const BOTH = {
  versions: [["1.2"], ["1.3"], ["1.2", "1.3"]],
  tickets: [true],
  cache_mode: "Node sets the mode of its cache itself",
  cache_size: NO_CACHE,
  timeout: "a SecureContext takes sessionTimeout, whose bounds are Node's",
  middlebox_compat: [true],
  extended_master_secret: [true],
  ciphers: null,
  ciphersuites: "Node takes one list of ciphers for both versions",
  groups: null,
  psk_modes: ["psk_dhe_ke"],
  alpn: null,
  max_early_data: NO_EARLY_DATA,
  renegotiation: UNUSED,
  ignore_unexpected_eof: UNUSED,
};
const CLIENT = { server_name: null, max_fragment_length: "Node has no maxFragmentLength of the extension", verify: ["none", "required"] };
const SERVER = {
  verify: ["none", "required"],
  num_tickets: [2],
  session_id_context: UNUSED,
  session_id_prefix: NO_CACHE,
  session_id: NO_CACHE,
  ticket_keys: "Node takes 48 bytes, whose use differs from OpenSSL's 80",
  anti_replay: NO_EARLY_DATA,
  client_renegotiation: UNUSED,
  resumption_on_renegotiation: UNUSED,
};

const knobsOf = (role) => ({ ...BOTH, ...(role === "client" ? CLIENT : SERVER) });

function hello() {
  return {
    protocol: 2,
    library: "node",
    version: process.versions.node,
    description: `Node ${process.versions.node} with OpenSSL ${process.versions.openssl}`,
    pid: process.pid,
    lacks: LACKS,
    family: "node",
    roles: ["client", "server"],
    knobs: { client: knobsOf("client"), server: knobsOf("server") },
    capabilities: {
      client: { ...CAPABILITIES, "session id": null },
      server: { ...CAPABILITIES, "server name": null, "session id": NO_CACHE },
    },
    defaults: {
      tickets: 2,
      tickets_after_resumption: 0,
      lifetime: { 1.2: 7200, 1.3: 7200 },
      timeout: { server: 7200 },
      key_name: 16,
    },
  };
}

module.exports = { hello, knobsOf, LACKS };
