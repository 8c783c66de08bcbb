// The view of one cell: the reason first, then both connections, their sessions, output, commands and files.

const part = (title, ...children) => {
  const content = children.flat(Infinity).filter(Boolean);
  return content.length ? make("section", { class: "part" }, make("h2", {}, title), content) : null;
};

const pairs = (entries, layout = "") => {
  const shown = entries.filter(([, value]) => value !== null && value !== undefined && value !== "" && value.length !== 0);
  return shown.length ? make("dl", { class: `pairs ${layout}` }, shown.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))) : null;
};

const QUESTIONS = { not_offered: "offered no session", declined: "was declined", aborted: "was aborted", resumed_but: "was resumed, but",
  psk_not_used: "did not use its external PSK" };

const finding = (one) => make("li", {},
  make("p", { class: "title" }, make("strong", {}, one.title), " ", make("code", { class: "code" }, one.reason)),
  one.evidence && one.evidence.length ? make("ul", { class: "evidence" }, one.evidence.map((line) => make("li", {}, line))) : null,
  one.remedy ? make("p", {}, make("b", {}, "What would change it: "), one.remedy) : null,
  one.tell_apart ? make("p", {}, make("b", {}, "What would confirm it: "), one.tell_apart) : null,
  one.source ? make("p", { class: "source" }, one.source) : null);

const explanation = (connection) => {
  const shown = connection.explanation;
  if (!shown) return null;
  const several = shown.findings.length > 1 && shown.question !== "resumed_but";
  return make("div", { class: "explanation" },
    make("h3", {}, `Connection ${connection.number} ${QUESTIONS[shown.question] || shown.question}`),
    several ? make("p", { class: "facts" }, "Several reasons fit the evidence; the most likely comes first.") : null,
    make(several ? "ol" : "ul", { class: "findings" }, shown.findings.map(finding)));
};

const breaches = (connection) => (connection.breaches || []).length ? make("div", { class: "explanation" },
  make("h3", {}, `Connection ${connection.number} breaks rules of the RFCs`),
  make("ul", { class: "findings" }, connection.breaches.map((one) => make("li", {},
    make("p", { class: "title" }, make("strong", {}, `${one.who || "an endpoint"}, ${one.level}: ${one.sentence}`), " ", make("code", { class: "code" }, one.rule)),
    make("ul", { class: "evidence" }, one.evidence.map((line) => make("li", {}, line))),
    make("p", { class: "source" }, one.source))))) : null;

// The failed assert, its place, and both values of its comparison.
const assertion = (shown) => shown ? make("div", { class: "assertion" },
  make("p", {}, make("code", {}, `${shown.file}:${shown.line}`)),
  make("pre", { tabindex: "0" }, shown.source),
  shown.left === null ? null : pairs([["left value", make("code", {}, shown.left)], ["right value", make("code", {}, shown.right)]], "column")) : null;

const whySection = (cell, detail) => {
  const verdict = text("verdict", cell);
  const shown = [...detail.connections].reverse().flatMap((one) => [explanation(one), breaches(one)]).filter(Boolean);
  const reason = detail.reason ? make("pre", { class: `reason ${verdict}`, tabindex: "0" }, detail.reason) : null;
  const change = detail.earlier ? make("div", { class: "change" },
    make("p", {}, "In the earlier run: ", badge(detail.earlier.verdict), text("fate", cell) ? [" – ", make("b", {}, text("fate", cell))] : null),
    detail.earlier.changes.length ? make("ul", {}, detail.earlier.changes.map(([name, before, after, number]) => make("li", {},
      number ? `connection ${number}: ` : "", make("code", {}, name), " ", make("span", { class: "value" }, before), " → ", make("span", { class: "value" }, after)))) : null) : null;
  const failed = assertion(detail.assertion);
  if (!shown.length && !reason && !change && !failed) return null;
  return part(verdict === "passed" ? "What was seen" : "Why", shown, failed, reason, change);
};

const alertText = (alert) => alert && `${alert.name} (${alert.number})${alert.sender ? `, sent by the ${alert.sender}` : ""}`;

const actions = (list) => list.map((action) => `${action.role ? `${action.role}: ` : ""}${action.name}${Object.keys(action.values).length
  ? ` ${Object.entries(action.values).map(([name, value]) => `${name}=${value}`).join(" ")}` : ""}`).join("; ");

const circumstances = (shown) => shown ? [
  ["ends", [shown.client_context > 1 ? `client context ${shown.client_context}` : "", shown.server_context > 1 ? `server ${shown.server_context} of this cell` : ""].filter(Boolean).join(", ")],
  ["actions before", actions(shown.before)], ["actions during", actions(shown.during)],
  ["also open", shown.beside.length ? `connection ${shown.beside.join(", ")}` : ""],
] : [];

const connectionCard = (connection) => {
  const ends = connection.endpoints;
  const both = (key) => [...new Set([ends.client[key], ends.server[key]].filter((value) => value !== null && value !== ""))].join(" / ");
  const errors = ["client", "server"].flatMap((role) => ends[role].errors.map((error) => make("li", {}, make("b", {}, `${role} `), error)));
  return make("article", { class: "connection" },
    make("h3", {}, `Connection ${connection.number} `, badge(connection.outcome || "error", connection.outcome || "disagreement"),
      connection.mechanism ? ` by ${connection.mechanism}` : ""),
    connection.disagreement ? make("pre", { class: "reason error", tabindex: "0" }, connection.disagreement) : null,
    make("table", { class: "witnesses" },
      make("caption", { class: "hidden" }, `What each witness saw of connection ${connection.number}`),
      make("tbody", {}, connection.views.map((view) => make("tr", {},
        make("th", { scope: "row" }, view.witness, view.name ? make("span", { class: "file" }, ` ${view.name}`) : null),
        make("td", {}, badge(view.outcome)), make("td", { class: "evidence" }, view.evidence.join("; ") || "–"))))),
    pairs([
      ...circumstances(connection.circumstances),
      ["session offered", connection.was_offered ? "yes" : connection.offered ? "no: the client was given one but did not send it" : "no"],
      ["tickets", connection.tickets === null ? "unknown" : connection.tickets], ["alert", alertText(connection.alert)],
      ["closed by", connection.close], ["read last", ["client", "server"].filter((role) => ends[role].ending).map((role) => `${role} ${ends[role].ending}`).join(", ")],
      ["cipher", both("cipher")], ["group", both("group")], ["peer's key", ends.client.peer_temp_key],
      ["peer's chain", ["client", "server"].filter((role) => (ends[role].peer_chain || []).length)
        .map((role) => `${role} holds ${plural(ends[role].peer_chain.length, "certificate")}`).join(", ")],
      ["ALPN", both("alpn")], ["SNI", both("server_name")],
      ["exporter", { true: "the same at both ends", false: "different at the ends" }[connection.exporters_equal]],
      ["renegotiation", { true: "resumed", false: "full" }[connection.renegotiation_resumed]],
      ["session expires", connection.expiry.map((line) => make("div", {}, line))],
      ["set aside", (connection.strays || []).map((line) => make("div", {}, line))],
      ["early data", both("early_data")], ["blocked", connection.blocked], ["not read to the end", connection.problem],
    ], "column"),
    errors.length ? [make("h4", {}, "OpenSSL errors"), make("ul", { class: "errors" }, errors)] : null);
};

const compared = (connections) => {
  let [left, right] = [connections[connections.length - 2] || connections[0], connections[1] ? connections[connections.length - 1] : null];
  const [lines, fields] = [make("div", {}), make("div", {})];
  const show = () => { fill(lines, timeline(left, right)); fill(fields, sessionTable(left, right)); };
  const chooser = (label, current, chosen) => make("label", {}, label, make("select", { onchange: (event) => { chosen(connections[event.target.selectedIndex]); show(); } },
    connections.map((connection) => make("option", { selected: connection === current() }, `${connection.number}: ${connection.outcome || "disagreement"}`))));
  const choosers = connections.length > 2 ? make("p", { class: "choosers" },
    chooser("Compare connection ", () => left, (one) => { left = one; }), chooser(" with connection ", () => right, (one) => { right = one; })) : null;
  show();
  const times = connections.some((connection) => connection.brief) ? "" : "Milliseconds since the connection was accepted. ";
  return [part("Timeline", make("p", { class: "facts" }, `${times}Messages and fields that only one connection has are marked.`), choosers, lines),
    part("Session fields", fields)];
};

// 1 to 3, 5
const spans = (numbers) => {
  const found = [];
  for (const number of numbers) {
    const last = found[found.length - 1];
    if (last && number === last[1] + 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) => first === last ? first : `${first}${last === first + 1 ? ", " : " to "}${last}`).join(", ");
};

// Each command once, with its connections: an agent starts once and makes many.
const shownCommands = (connections) => {
  const ran = new Map();
  for (const connection of connections) {
    for (const role of ["client", "server"]) {
      const commands = connection.commands[role].join("\n");
      const key = `${role}\n${commands}`;
      if (commands) ran.set(key, [role, commands, [...(ran.get(key) || [0, 0, []])[2], connection.number]]);
    }
  }
  return [...ran.values()].map(([role, commands, numbers]) => [
    make("h3", {}, `${role[0].toUpperCase()}${role.slice(1)}, connection ${spans(numbers)}`), code(commands)]);
};

const MOST_CARDS = 6;

// The most informative connections: the first, the last, and those that were not resumed.
const cards = (connections) => {
  const matters = (connection, place) => place === 0 || place === connections.length - 1 || connection.outcome !== "resumed";
  const shown = connections.length > MOST_CARDS ? connections.filter(matters).slice(-MOST_CARDS) : connections;
  const others = connections.filter((connection) => !shown.includes(connection));
  return [
    make("div", { class: "connections" }, shown.map(connectionCard)),
    others.length ? make("details", {}, make("summary", {}, `${plural(others.length, "more connection")}`),
      make("div", { class: "connections" }, others.map(connectionCard))) : null,
  ];
};

const code = (content) => make("div", { class: "code-block" },
  make("pre", { tabindex: "0" }, content),
  navigator.clipboard ? make("button", { type: "button", class: "copy", onclick: async (event) => {
    const button = event.currentTarget;
    try { await navigator.clipboard.writeText(content); button.textContent = "Copied"; } catch { button.textContent = "Not permitted"; }
  } }, "Copy") : null);

const size = (bytes) => bytes < 1024 ? plural(bytes, "byte") : bytes < 1048576 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1048576).toFixed(1)} MiB`;

const fileList = (files) => make("ul", { class: "files" }, files.map((file) =>
  make("li", {}, make("a", { href: file.href }, file.name), make("span", { class: "file" }, ` ${size(file.size)}`))));

const kept = (files) => {
  const reproducer = files.filter((file) => file.name.startsWith("reproduce/"));
  const others = files.filter((file) => !reproducer.includes(file));
  return [
    part("Reproducer", reproducer.length ? [
      make("p", { class: "facts" }, "This folder works without the harness; its README says how to run it and what each program shows."), fileList(reproducer)] : null),
    part("Evidence", others.length ? fileList(others) : null),
  ];
};

const briefly = (cell, detail) => detail.connections.some((connection) => connection.brief) ? make("p", { class: "facts" },
  "This cell passed, so its evidence, times, commands and random values were not kept. To see them: ",
  make("code", {}, `resumption cell '${text("scenario", cell)}[${ROWS.names[cell]}]'`)) : null;

const cellParts = (cell, detail) => [
  briefly(cell, detail),
  whySection(cell, detail),
  kept(detail.files),
  detail.connections.length ? part("Connections", cards(detail.connections)) : null,
  detail.connections.length ? compared(detail.connections) : part("Connections", make("p", {}, "There were no connections.")),
  part("Output", Object.entries(detail.output).map(([role, printed]) => [make("h3", {}, role), make("pre", { class: "output", tabindex: "0" }, printed)])),
  part("Commands", shownCommands(detail.connections)),
  part("Knobs that were set", Object.entries(detail.knobs).map(([role, knobs]) => Object.keys(knobs).length
    ? [make("h3", {}, { then_client: "client, later", then_server: "server, later" }[role] || role), pairs(Object.entries(knobs))] : null)),
  detail.counters ? part("Counters of the server", pairs(Object.entries(detail.counters).map(([name, value]) => [name, value]))) : null,
];

const neighbours = (cell) => {
  const place = order.indexOf(cell);
  if (place < 0) return null;
  const to = (other, label) => other === undefined ? null : make("a", { href: hrefOf(other) }, label);
  const failing = (one) => BAD.includes(text("verdict", one));
  const toFailing = (other, id, label) => other === undefined ? null : make("a", { href: hrefOf(other), id }, label);
  return make("span", { class: "neighbours" },
    toFailing(order.slice(0, place).reverse().find(failing), "previous-failing", "⇤ previous failing"), " ",
    to(order[place - 1], "← previous"), make("span", { class: "facts" }, ` ${place + 1} of ${order.length} `), to(order[place + 1], "next →"), " ",
    toFailing(order.slice(place + 1).find(failing), "next-failing", "next failing ⇥"));
};

const showCell = async (cell, back) => {
  const scenario = text("scenario", cell);
  const body = make("div", { class: "body" }, make("p", { role: "status" }, "Opening …"));
  fill(find("#cell"),
    make("nav", { class: "crumbs", "aria-label": "Cells" }, make("a", { href: back, id: "back" }, "← all cells"), neighbours(cell)),
    make("h1", { id: "cell-title", tabindex: "-1" }, badge(text("verdict", cell)), " ", make("span", { class: "test" }, breakable(testOf(scenario)))),
    make("p", { class: "facts ends" }, make("b", {}, text("client", cell)), " → ", make("b", {}, text("server", cell)), ` · TLS ${text("tls", cell)}`,
      knobsOf(cell) ? ` · ${knobsOf(cell)}` : "", ` · ${ROWS.seconds[cell].toFixed(2)} s · `, make("a", { href: writeFilters({ ...noFilters(), scenario: fileOf(scenario) }) }, fileOf(scenario))),
    make("p", { class: "facts" }, "Outcomes: ", outcomeList(words("outcomes", cell))),
    body);
  try {
    fill(body, cellParts(cell, await detailsOf(cell)));
  } catch (error) {
    fill(body, make("p", { class: "notice", role: "alert" }, `The details cannot be shown: ${error.message}.`));
  }
};
