// The form of the filters: it shows what the address says, and changes the address.

const form = find("#filters");
const TITLE = document.title;
let typed = null;

const showForm = (shown, left) => {
  const search = form.elements.q;
  if (document.activeElement !== search) search.value = shown.q;
  for (const box of form.querySelectorAll("[name=verdict]")) box.checked = shown.verdicts.includes(box.value);
  for (const count of form.querySelectorAll("[data-verdict]")) count.textContent = left.verdicts[count.dataset.verdict].toLocaleString("en");
  for (const name of NAMES) if (form.elements[name]) form.elements[name].value = shown[name];
  const unseen = NAMES.filter((name) => shown[name] && !(form.elements[name] && form.elements[name].value === shown[name]));
  find("#clear").disabled = writeFilters({ ...shown, page: 1, sort: "" }) === "#/";
  find("#chosen").hidden = !unseen.length;
  fill(find("#chosen"), unseen.map((name) => make("span", {}, `${name}: ${shown[name]} `,
    make("button", { type: "button", "aria-label": `Remove the filter ${name}`, onclick: () => go({ ...shown, [name]: "", page: 1 }) }, "×"))));
};

const fromForm = () => {
  const wanted = { ...filters, page: 1, q: form.elements.q.value.trim() };
  wanted.verdicts = [...form.querySelectorAll("[name=verdict]:checked")].map((box) => box.value);
  for (const name of NAMES) if (form.elements[name] && form.elements[name].value !== filters[name]) wanted[name] = form.elements[name].value;
  return wanted;
};

form.addEventListener("change", (event) => { if (event.target.name !== "q") go(fromForm()); });
form.addEventListener("input", (event) => {
  if (event.target.name !== "q") return;
  clearTimeout(typed);
  typed = setTimeout(() => go(fromForm(), { quietly: true }), 100);
});
form.addEventListener("submit", (event) => { event.preventDefault(); go(fromForm()); });
find("#clear").addEventListener("click", () => { form.elements.q.value = ""; go(noFilters()); });
form.hidden = false;
if (matchMedia("(max-width: 700px)").matches) form.querySelector("details").open = false;
