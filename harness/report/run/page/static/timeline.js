// The messages of two connections side by side: the same message of both in one line, what only one has alone in its.

const alike = (one, other) => one[1] === other[1] && one[2] === other[2] && one[5].alert === other[5].alert;

// The longest common subsequence of both, as pairs; null where the other has no match.
const aligned = (left, right) => {
  const longest = Array.from({ length: left.length + 1 }, () => new Uint16Array(right.length + 1));
  for (let a = left.length - 1; a >= 0; a--) {
    for (let b = right.length - 1; b >= 0; b--) {
      longest[a][b] = alike(left[a], right[b]) ? longest[a + 1][b + 1] + 1 : Math.max(longest[a + 1][b], longest[a][b + 1]);
    }
  }
  const pairs = [];
  let [a, b] = [0, 0];
  while (a < left.length || b < right.length) {
    if (a < left.length && b < right.length && alike(left[a], right[b])) pairs.push([left[a++], right[b++]]);
    else if (b >= right.length || (a < left.length && longest[a + 1][b] >= longest[a][b + 1])) pairs.push([left[a++], null]);
    else pairs.push([null, right[b++]]);
  }
  return pairs;
};

const messageCell = (message, other, label) => {
  if (!message) return make("td", { class: "message absent", "data-label": label }, make("span", { class: "none" }, "–"));
  const [at, sender, type, length, encrypted, fields] = message;
  const alone = (name) => other && !(name in other[5]);
  return make("td", { class: `message ${sender}${other === null ? " alone" : ""}`, "data-label": label },
    make("div", { class: "what" },
      at === null ? null : make("span", { class: "at" }, `${at.toFixed(1)} ms`),
      make("span", { class: "sender" }, sender === "client" ? "client →" : "← server"),
      make("b", {}, type), encrypted ? make("span", { class: "lock", title: "encrypted on the wire" }, "encrypted") : null,
      length === null ? null : make("span", { class: "length" }, plural(length, "byte"))),
    Object.keys(fields).length ? make("dl", { class: "fields" }, Object.entries(fields).map(([name, value]) =>
      make("div", { class: alone(name) ? "only" : null }, make("dt", {}, name), make("dd", {}, value)))) : null);
};

const timeline = (left, right) => {
  const title = (connection) => `Connection ${connection.number}: ${connection.outcome || "disagreement"}`;
  if (!right) {
    return make("table", { class: "timeline single" }, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, title(left)))),
      make("tbody", {}, left.messages.map((message) => make("tr", {}, messageCell(message, undefined, "")))));
  }
  return make("table", { class: "timeline" },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, title(left)), make("th", { scope: "col" }, title(right)))),
    make("tbody", {}, aligned(left.messages, right.messages).map(([one, other]) => make("tr", { class: one && other ? "both" : "one" },
      messageCell(one, other, `Connection ${left.number}`), messageCell(other, one, `Connection ${right.number}`)))));
};
