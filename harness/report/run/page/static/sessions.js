// The fields of the sessions of two connections, and where they differ.

const sessionTable = (left, right) => {
  const columns = [];
  if (left.offered && (!right || !right.offered)) columns.push([`offered on connection ${left.number}`, left.offered]);
  if (left.session) columns.push([`after connection ${left.number}`, left.session]);
  if (right && right.offered) columns.push([`offered on connection ${right.number}`, right.offered]);
  if (right && right.session) columns.push([`after connection ${right.number}`, right.session]);
  if (!columns.length) return make("p", {}, "No session was taken on these connections.");
  const names = columns[0][1].rows.map(([name]) => name);
  const values = columns.map(([, session]) => new Map(session.rows));
  const known = names.filter((name) => values.some((fields) => fields.get(name) !== "unknown"));
  const differs = (name) => new Set(values.map((fields) => fields.get(name))).size > 1;
  const differing = known.filter(differs).length;
  const unknown = names.filter((name) => !known.includes(name));
  const rows = [["taken by", (session) => session.by], ["taken from", (session) => session.from]];
  return [
    columns.length > 1 ? make("p", { class: "facts" }, `${plural(differing, "field")} of ${known.length} ${differing === 1 ? "differs" : "differ"}, marked ≠.`) : null,
    make("div", { class: "scroll", role: "region", "aria-label": "Session fields", tabindex: "0" },
      make("table", { class: "plain fields" },
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Field"), columns.map(([title]) => make("th", { scope: "col" }, title)))),
        make("tbody", {},
          rows.map(([label, of]) => make("tr", {}, make("th", { scope: "row" }, label), columns.map(([title, session]) => make("td", { "data-label": title }, of(session) || "–")))),
          known.map((name) => make("tr", { class: differs(name) ? "differs" : null },
            make("th", { scope: "row" }, name, differs(name) ? make("span", { class: "mark" }, " ≠", make("span", { class: "hidden" }, " differs")) : null),
            values.map((fields, place) => make("td", { class: "value", "data-label": columns[place][0] }, fields.get(name) ?? "–"))))))),
    unknown.length ? make("p", { class: "facts" }, `Unknown, because the stack does not report it: ${unknown.join(", ")}.`) : null,
  ];
};
