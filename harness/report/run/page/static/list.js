// The list of cells, a page at a time, so that ten thousand cost no more than a hundred.

const ON_PAGE = 100;
const HEADS = [["verdict", "Verdict"], ["scenario", "Test"], ["client", "Client"], ["server", "Server"], ["tls", "TLS"],
  ["", "Knobs"], ["", "Outcomes"], ["", "Why"], ["seconds", "Seconds"]];
let order = [];

const rowOf = (cell) => {
  const scenario = text("scenario", cell);
  const [why, headline, fate] = [text("why", cell), text("headline", cell), text("fate", cell)];
  const value = (label, name, ...children) => make("td", { role: "cell", class: name, "data-label": label }, ...children);
  return make("tr", { role: "row", onclick: (event) => { if (!event.target.closest("a") && !String(getSelection())) location.hash = hrefOf(cell); } },
    value("Verdict", "verdict", badge(text("verdict", cell))),
    make("th", { role: "rowheader", scope: "row" },
      make("a", { href: hrefOf(cell), "data-cell": cell }, make("span", { class: "test" }, breakable(testOf(scenario)))),
      " ", make("span", { class: "file" }, fileOf(scenario).replace(/^scenarios\//, "")),
      fate ? make("span", { class: "fate" }, fate) : null),
    value("Client", "end", text("client", cell)),
    value("Server", "end", text("server", cell)),
    value("TLS", "tls", text("tls", cell)),
    value("Knobs", "knobs", knobsOf(cell) ? breakable(knobsOf(cell)) : make("span", { class: "none" }, "–")),
    value("Outcomes", "outcomes", outcomeList(words("outcomes", cell))),
    value("Why", "why", why ? make(headline ? "strong" : "span", {}, why) : null, why && headline ? make("br") : null,
      headline ? make("span", { class: "headline" }, headline) : why ? null : make("span", { class: "none" }, "–")),
    value("Seconds", "number", ROWS.seconds[cell].toFixed(2)));
};

const headOf = ([sort, label], filters) => {
  const sorted = (filters.sort || "verdict") === sort;
  return make("th", { role: "columnheader", scope: "col", class: label === "Seconds" ? "number" : null, "aria-sort": sort && sorted ? (sort === "seconds" ? "descending" : "ascending") : null },
    sort ? make("button", { type: "button", class: "sort", "data-sort": sort, onclick: () => go({ ...filters, sort: sort === "verdict" ? "" : sort, page: 1 }) },
      label, make("span", { "aria-hidden": "true" }, sorted ? " ▾" : "")) : label);
};

const showList = (filters, cells) => {
  order = inOrder(cells, filters.sort);
  const pages = Math.max(1, Math.ceil(order.length / ON_PAGE));
  const page = Math.min(filters.page, pages);
  const shown = order.slice((page - 1) * ON_PAGE, page * ON_PAGE);
  fill(find("#list"), shown.length
    ? make("table", { class: "cells", role: "table", "aria-labelledby": "list-title" },
      make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, HEADS.map((head) => headOf(head, filters)))),
      make("tbody", { role: "rowgroup" }, shown.map(rowOf)))
    : make("p", { class: "nothing" }, "No cell matches. ", make("button", { type: "button", onclick: () => go(noFilters()) }, "Clear all filters")));
  const first = (page - 1) * ON_PAGE + 1;
  find("#shown").textContent = `${plural(order.length, "cell")}${order.length === COUNT ? "" : ` of ${COUNT.toLocaleString("en")}`}` +
    (pages > 1 ? `, ${first} to ${first + shown.length - 1} are shown` : "");
  showPager(filters, page, pages);
};

const showPager = (filters, page, pages) => {
  const pager = find("#pager");
  pager.hidden = pages < 2;
  const to = (number, label, usable) => make("button", {
    type: "button", disabled: !usable, onclick: () => { go({ ...filters, page: number }); find("#list-title").scrollIntoView(); },
  }, label);
  fill(pager, to(1, "First", page > 1), to(page - 1, "Previous", page > 1),
    make("span", {}, ` Page ${page} of ${pages} `), to(page + 1, "Next", page < pages), to(pages, "Last", page < pages));
};

document.addEventListener("keydown", (event) => {
  const link = document.activeElement && document.activeElement.closest("table.cells a[data-cell]");
  if (!link || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  const links = findAll("table.cells a[data-cell]");
  const next = links[links.indexOf(link) + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) next.focus();
  event.preventDefault();
});
