// The numbers of the matrix for the cells that the filters leave; a place of it is a filter.

const showMatrix = (filters, places) => {
  for (const place of findAll("table.matrix td[data-client]")) {
    const { client, server } = place.dataset;
    const counts = places.get(`${client}\n${server}`) || {};
    const found = VERDICTS.filter((verdict) => counts[verdict]);
    const pressed = filters.client === client && filters.server === server;
    place.className = found[0] || "empty";
    const lines = found.map((verdict) => make("span", { class: verdict }, `${counts[verdict]} ${verdict}`));
    fill(place, lines.length || pressed
      ? make("button", {
        type: "button", "aria-pressed": String(pressed), "aria-label":
          `client ${client}, server ${server}: ${found.map((verdict) => `${counts[verdict]} ${verdict}`).join(", ") || "no cell"}`,
        onclick: () => go({ ...filters, page: 1, client: pressed ? "" : client, server: pressed ? "" : server }),
      }, lines.length ? lines : make("span", { class: "none" }, "–"))
      : make("span", { class: "none" }, "–"));
  }
};
