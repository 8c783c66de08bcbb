// Elements from data: text only ever becomes a text node, so that nothing that a peer sent can become markup.

const make = (tag, attributes, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
};

const fill = (element, ...children) => {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
};

// A name with line break opportunities after underscores and other separators.
const breakable = (name) => name.split(/(?<=[_=.,-])/).flatMap((word) => [word, make("wbr")]);

const find = (selector) => document.querySelector(selector);
const findAll = (selector) => [...document.querySelectorAll(selector)];
const plural = (count, word) => `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
const badge = (word, text) => make("span", { class: `badge ${word.replace(/[^a-z_]/g, "")}` }, text || word);

// full → resumed ×49
const outcomeList = (outcomes) => {
  const runs = [];
  for (const outcome of outcomes) {
    if (runs.length && runs[runs.length - 1][0] === outcome) runs[runs.length - 1][1]++;
    else runs.push([outcome, 1]);
  }
  if (!runs.length) return make("span", { class: "none" }, "–");
  return runs.map(([outcome, count], place) => [place ? make("span", { class: "then", "aria-hidden": "true" }, " → ") : null,
    make("span", { class: `outcome ${outcome.replace(/[^a-z]/g, "")}` }, outcome, count > 1 ? ` ×${count}` : null)]);
};
