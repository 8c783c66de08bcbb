// Which cells are shown: the filters, as the address and the form have them.

const FILTERS = {
  scenario: (cell, value) => value.includes("::") ? text("scenario", cell) === value : fileOf(text("scenario", cell)) === value,
  client: (cell, value) => text("client", cell) === value,
  server: (cell, value) => text("server", cell) === value,
  stack: (cell, value) => stackOf(text("client", cell)) === value || stackOf(text("server", cell)) === value,
  build: (cell, value) => buildOf(text("client", cell)) === value || buildOf(text("server", cell)) === value,
  tls: (cell, value) => text("tls", cell) === value,
  outcome: (cell, value) => (words("outcomes", cell).pop() || "none") === value,
  reason: (cell, value) => words("reasons", cell).includes(value),
  rule: (cell, value) => words("rules", cell).includes(value),
  headline: (cell, value) => text("headline", cell) === value,
  fate: (cell, value) => text("fate", cell) === value,
};
const NAMES = Object.keys(FILTERS);

const noFilters = () => ({ q: "", verdicts: [], page: 1, sort: "", ...Object.fromEntries(NAMES.map((name) => [name, ""])) });

const readFilters = (query) => {
  const given = new URLSearchParams(query);
  const made = noFilters();
  for (const name of NAMES) made[name] = given.get(name) || "";
  made.q = given.get("q") || "";
  made.sort = given.get("sort") || "";
  made.verdicts = (given.get("verdict") || "").split(",").filter((verdict) => VERDICTS.includes(verdict));
  made.page = Math.max(1, parseInt(given.get("page"), 10) || 1);
  return made;
};

const writeFilters = (filters) => {
  const given = new URLSearchParams();
  if (filters.q) given.set("q", filters.q);
  if (filters.verdicts.length) given.set("verdict", filters.verdicts.join(","));
  for (const name of NAMES) if (filters[name]) given.set(name, filters[name]);
  if (filters.sort) given.set("sort", filters.sort);
  if (filters.page > 1) given.set("page", filters.page);
  const query = given.toString();
  return query ? `#/?${query}` : "#/";
};

// All that the filters leave, and the same without those of verdict and of client and server, for counts beside them.
const chosenCells = (filters) => {
  const active = NAMES.filter((name) => filters[name] && name !== "client" && name !== "server");
  const wanted = filters.q.toLowerCase().split(/\s+/).filter(Boolean);
  const left = { cells: [], verdicts: Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])), places: new Map() };
  for (let cell = 0; cell < COUNT; cell++) {
    if (!active.every((name) => FILTERS[name](cell, filters[name]))) continue;
    if (wanted.length && !wanted.every((word) => haystack(cell).includes(word))) continue;
    const verdict = text("verdict", cell);
    const rightVerdict = !filters.verdicts.length || filters.verdicts.includes(verdict);
    const rightPlace = (!filters.client || FILTERS.client(cell, filters.client)) && (!filters.server || FILTERS.server(cell, filters.server));
    if (rightPlace) left.verdicts[verdict]++;
    const place = `${text("client", cell)}\n${text("server", cell)}`;
    if (!left.places.has(place)) left.places.set(place, { counts: {}, bad: new Set(), ran: new Set() });
    const { counts, bad, ran } = left.places.get(place);
    const test = ROWS.columns.scenario.cells[cell];
    if (BAD.includes(verdict)) bad.add(test);
    if (verdict !== "unsupported") ran.add(test);
    if (rightVerdict) counts[verdict] = (counts[verdict] || 0) + 1;
    if (rightPlace && rightVerdict) left.cells.push(cell);
  }
  return left;
};

const SORTS = {
  verdict: (cell) => VERDICTS.indexOf(text("verdict", cell)),
  scenario: (cell) => text("scenario", cell),
  client: (cell) => text("client", cell),
  server: (cell) => text("server", cell),
  tls: (cell) => text("tls", cell),
  seconds: (cell) => -ROWS.seconds[cell],
};

const inOrder = (cells, sort) => {
  const key = SORTS[sort] || SORTS.verdict;
  const keys = new Map(cells.map((cell) => [cell, key(cell)]));
  return [...cells].sort((one, other) => {
    const [a, b] = [keys.get(one), keys.get(other)];
    return a < b ? -1 : a > b ? 1 : one - other;
  });
};
