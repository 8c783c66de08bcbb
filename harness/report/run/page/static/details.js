// Decompresses the details of a cell, and what it shares with others, from blocks that are below this script in the page.

const CELLS_IN_BLOCK = 64;
const MOST_BLOCKS = { block: 8, shared: 200 };
const inflated = { block: new Map(), shared: new Map() };

const whenRead = () => document.readyState !== "loading"
  ? Promise.resolve()
  : new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));

const inflate = async (kind, number) => {
  await whenRead();
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser cannot decompress the details (it has no DecompressionStream); use a newer browser or results.json");
  }
  const bytes = Uint8Array.from(atob(findAll(`script.${kind}`)[number].textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
};

const valueAt = async (kind, place) => {
  const [known, number] = [inflated[kind], Math.floor(place / CELLS_IN_BLOCK)];
  if (!known.has(number)) {
    known.set(number, inflate(kind, number));
    if (known.size > MOST_BLOCKS[kind]) known.delete(known.keys().next().value);
  }
  return (await known.get(number))[place % CELLS_IN_BLOCK];
};

const connectionAt = async (place) => {
  const { own, parts } = await valueAt("shared", place);
  const found = await Promise.all(Object.entries(parts).map(async ([key, where]) => [key, await valueAt("shared", where)]));
  const made = { ...own, ...Object.fromEntries(found) };
  return { ...made, messages: await Promise.all(made.messages.map((where) => valueAt("shared", where))) };
};

const detailsOf = async (cell) => {
  const detail = await valueAt("block", cell);
  return { ...detail, connections: await Promise.all(detail.connections.map(connectionAt)) };
};
