// The address determines the view; every change goes through the address, so that the back button works.

let filters = noFilters();
let lastList = "#/";
let cameFromList = false;
let opened = null;

const go = (wanted, { quietly = false } = {}) => {
  const address = writeFilters(wanted);
  if (address === location.hash || (address === "#/" && !location.hash)) return;
  if (quietly) location.replace(address);
  else location.hash = address;
};

const view = (name) => {
  for (const one of findAll(".view")) one.hidden = one.dataset.view !== name;
  for (const link of findAll("[data-nav]")) {
    if (link.dataset.nav === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
};

const showCells = (query) => {
  filters = readFilters(query);
  lastList = writeFilters(filters);
  const left = chosenCells(filters);
  showForm(filters, left);
  showMatrix(filters, left.places);
  showList(filters, left.cells);
  view("cells");
  document.title = TITLE;
  if (opened !== null) {
    const link = find(`a[data-cell="${opened}"]`);
    if (link) { link.focus({ preventScroll: true }); link.scrollIntoView({ block: "center" }); }
    opened = null;
  }
};

const showNamed = (name) => {
  view(name);
  const title = find(`[data-view="${name}"] h1`);
  document.title = `${title.textContent} - ${TITLE}`;
  opened = null;
  scrollTo(0, 0);
  title.focus({ preventScroll: true });
};

const showOne = async (path) => {
  let names = [];
  try { names = path.split("/").map(decodeURIComponent); } catch { names = []; }
  const cell = cellNamed(names[0], names[1]);
  if (!order.length) order = inOrder(chosenCells(filters).cells, filters.sort);
  view("cell");
  scrollTo(0, 0);
  if (cell === null) {
    opened = null;
    fill(find("#cell"), make("h1", { id: "cell-title", tabindex: "-1" }, "No such cell"),
      make("p", {}, `This run has no cell ${names.join(" ")}. `, make("a", { href: lastList }, "All cells")));
  } else {
    opened = cell;
    document.title = `${testOf(text("scenario", cell))} - ${TITLE}`;
    const shown = showCell(cell, lastList);
    find("#cell-title").focus({ preventScroll: true });
    await shown;
    return;
  }
  find("#cell-title").focus({ preventScroll: true });
};

// Sets data-shown to the address when it is shown, details included: for whoever waits for that.
const show = async () => {
  const hash = location.hash;
  await chosenView();
  document.documentElement.dataset.shown = hash;
};

const chosenView = () => {
  const address = location.hash.replace(/^#\/?/, "");
  if (address.startsWith("cell/")) return showOne(address.slice(5));
  if (["unsupported", "comparison"].includes(address) && find(`[data-view="${address}"]`)) return showNamed(address);
  if (location.hash && !location.hash.startsWith("#/")) return undefined;
  return showCells(address.replace(/^\?/, ""));
};

const goBack = () => {
  if (cameFromList) history.back();
  else location.hash = lastList;
};

addEventListener("hashchange", (event) => {
  const before = new URL(event.oldURL).hash;
  cameFromList = location.hash.startsWith("#/cell/") && !before.startsWith("#/cell/") && (before || "#/") === lastList;
  show();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest && event.target.closest("input, select, textarea");
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && !typing && !find("#cell").hidden) { goBack(); event.preventDefault(); }
  const failing = find({ n: "#next-failing", p: "#previous-failing" }[event.key] || "#none");
  if (failing && !typing && !find("#cell").hidden) { failing.click(); event.preventDefault(); }
  if (event.key === "/" && !typing && !find('[data-view="cells"]').hidden) { find("[name=q]").focus(); event.preventDefault(); }
});

find(".skip").addEventListener("click", (event) => { event.preventDefault(); find("#main").focus(); });
