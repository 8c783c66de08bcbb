// The numbers of the matrix for the cells that the filters leave; a place of it is a filter.

// As share_class of harness/report/run/run_summary.py.
const shareClass = (bad, ran) => !bad ? "" : bad * 10 <= ran ? "few" : bad * 2 <= ran ? "some" : "many";

const showMatrix = (filters, places) => {
  for (const place of findAll("table.matrix td[data-client]")) {
    const { client, server } = place.dataset;
    const { counts, bad, ran } = places.get(`${client}\n${server}`) || { counts: {}, bad: new Set(), ran: new Set() };
    const found = VERDICTS.filter((verdict) => counts[verdict]);
    const pressed = filters.client === client && filters.server === server;
    place.className = `${found[0] || "empty"} ${shareClass(bad.size, ran.size)}`;
    const share = bad.size && found.length ? `${bad.size} of ${ran.size} tests fail` : "";
    const lines = found.map((verdict) => make("span", { class: verdict }, `${counts[verdict]} ${verdict}`));
    if (share) lines.unshift(make("span", { class: "share" }, share));
    fill(place, lines.length || pressed
      ? make("button", {
        type: "button", "aria-pressed": String(pressed), "aria-label":
          `client ${client}, server ${server}: ${found.map((verdict) => `${counts[verdict]} ${verdict}`).concat(share || []).join(", ") || "no cell"}`,
        onclick: () => go({ ...filters, page: 1, client: pressed ? "" : client, server: pressed ? "" : server }),
      }, lines.length ? lines : make("span", { class: "none" }, "–"))
      : make("span", { class: "none" }, "–"));
  }
};
