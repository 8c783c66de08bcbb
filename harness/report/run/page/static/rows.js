// The rows of all cells, as harness/report/page/rows.py wrote them.

const ROWS = JSON.parse(find("#rows").textContent);
const COUNT = ROWS.count;
const VERDICTS = ["failed", "error", "passed", "unsupported"];
const BAD = ["failed", "error"];

const text = (column, cell) => ROWS.columns[column].words[ROWS.columns[column].cells[cell]];
const words = (column, cell) => text(column, cell).split(" ").filter(Boolean);
const fileOf = (scenario) => scenario.split("::")[0];
const testOf = (scenario) => scenario.slice(scenario.indexOf("::") + 2 || 0);
const stackOf = (label) => label.split("@")[0];
const buildOf = (label) => label.slice(label.indexOf("@") + 1);

const beginOf = (cell) => `${text("client", cell)}--${text("server", cell)}-TLSv${text("tls", cell)}`;
ROWS.names = Array.from({ length: COUNT }, (_, cell) => {
  const name = text("name", cell);
  return name.startsWith("=") ? name.slice(1) : beginOf(cell) + name;
});

const knobsOf = (cell) => {
  const name = ROWS.names[cell];
  const prefix = beginOf(cell);
  return name.startsWith(prefix) ? name.slice(prefix.length).replace(/^-/, "") : name;
};

const hrefOf = (cell) => `#/cell/${encodeURIComponent(text("scenario", cell))}/${encodeURIComponent(ROWS.names[cell])}`;

let byName = null;
const cellNamed = (scenario, name) => {
  if (!byName) {
    byName = new Map();
    for (let cell = COUNT - 1; cell >= 0; cell--) byName.set(`${text("scenario", cell)}\n${ROWS.names[cell]}`, cell);
  }
  const found = byName.get(`${scenario}\n${name}`);
  return found === undefined ? null : found;
};

let haystacks = null;
const haystack = (cell) => {
  if (!haystacks) {
    haystacks = new Array(COUNT);
    for (let one = 0; one < COUNT; one++) {
      haystacks[one] = ["scenario", "verdict", "outcomes", "headline", "why", "reasons", "fate"]
        .map((column) => text(column, one)).concat(ROWS.names[one]).join("\n").toLowerCase();
    }
  }
  return haystacks[cell];
};
