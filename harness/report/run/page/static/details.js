// Decompresses the details of a cell from its block; the blocks are below this script in the page.

const CELLS_IN_BLOCK = 64;
const inflated = new Map();

const whenRead = () => document.readyState !== "loading"
  ? Promise.resolve()
  : new Promise((resolve) => document.addEventListener("DOMContentLoaded", resolve, { once: true }));

const inflate = async (number) => {
  await whenRead();
  if (typeof DecompressionStream === "undefined") {
    throw new Error("this browser cannot decompress the details (it has no DecompressionStream); use a newer browser or results.json");
  }
  const bytes = Uint8Array.from(atob(findAll("script.block")[number].textContent), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return JSON.parse(await new Response(stream).text());
};

const detailsOf = async (cell) => {
  const number = Math.floor(cell / CELLS_IN_BLOCK);
  if (!inflated.has(number)) {
    inflated.set(number, await inflate(number));
    if (inflated.size > 8) inflated.delete(inflated.keys().next().value);
  }
  return inflated.get(number)[cell % CELLS_IN_BLOCK];
};
