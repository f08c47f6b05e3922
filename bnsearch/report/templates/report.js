"use strict";
// Draws the figures of the page in the reader's colours, and lets the reader choose what they show.
(async () => {
  const began = performance.now();
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const darkForLight = read("dark-for-light"), cycle = read("cycle");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const touch = matchMedia("(pointer: coarse)").matches;
  const figures = new Map(); // name -> what the page holds, in light colours
  const config = {
    responsive: true,
    displaylogo: false,
    displayModeBar: touch ? false : "hover",
    modeBarButtons: [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
    showSendToCloud: false, // plotly's own default offers to upload the figure
    plotlyServerURL: "",
    topojsonURL: "",
  };
  const printWidth = 700; // of a column on A4 or letter
  let printing = false;

  async function unpack(id) {
    const text = atob(document.getElementById(id).textContent), bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script);
  }

  // A copy in which every light colour is replaced by its dark one.
  function coloured(value) {
    if (!dark.matches || printing) return value;
    if (typeof value === "string") return darkForLight[value] ?? value;
    if (Array.isArray(value)) return value.map(coloured);
    if (value && typeof value === "object")
      return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, coloured(own)]));
    return value;
  }

  async function draw(name) {
    const place = document.getElementById(name);
    if (!place.offsetParent) return; // hidden: drawn when it is chosen
    const { data, layout } = figures.get(name);
    const traces = data.filter((trace) => trace.visible !== false);
    const narrow = place.clientWidth < 480;
    const shown = coloured({ ...layout, dragmode: touch ? false : "zoom" });
    if (narrow) {
      shown.margin = { ...shown.margin, l: 40, r: 4 };
      shown.font = { ...shown.font, size: 11 };
      if (shown.yaxis.scaleanchor) shown.height = place.clientWidth + 40; // a square, and names below it
      place.style.height = `${shown.height}px`;
    }
    if (printing) shown.width = printWidth;
    await Plotly.react(place, coloured(traces), shown, config);
  }

  async function drawAll() {
    for (const name of figures.keys()) {
      await draw(name);
      await new Promise((resume) => setTimeout(resume)); // lets the browser show it
    }
  }

  // The trials whose buttons are pressed, each with the next colour of the cycle.
  function select() {
    const pressed = [...document.querySelectorAll("[data-trial][aria-pressed=true]")];
    const colourOf = new Map(pressed.map((button, i) => [button.dataset.trial, cycle[i % cycle.length]]));
    for (const button of document.querySelectorAll("[data-trial]"))
      button.style.borderColor = coloured(colourOf.get(button.dataset.trial)) ?? "";
    for (const place of document.querySelectorAll(".selectable"))
      for (const trace of figures.get(place.id).data) {
        trace.visible = colourOf.has(trace.meta);
        if (trace.visible) trace.line.color = colourOf.get(trace.meta);
      }
  }

  for (const script of document.querySelectorAll("[data-figure]"))
    figures.set(script.dataset.figure, JSON.parse(script.textContent));

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-trial]");
    if (!button) return;
    button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
    select();
    for (const place of document.querySelectorAll(".selectable")) await draw(place.id);
  });
  document.addEventListener("change", async (event) => {
    const chosen = event.target.value, figure = event.target.closest("figure");
    for (const place of figure.querySelectorAll(".choice")) place.hidden = !place.querySelector(`#${chosen}`);
    await draw(chosen);
  });
  dark.addEventListener("change", async () => {
    select();
    await drawAll();
  });
  for (const [event, value] of [["beforeprint", true], ["afterprint", false]])
    addEventListener(event, () => {
      printing = value;
      select();
      for (const name of figures.keys()) {
        draw(name); // at once: paper does not wait
        const place = document.getElementById(name);
        if (!printing && place.offsetParent) Plotly.Plots.resize(place);
      }
    });

  try {
    select();
    await unpack("plotly");
    await drawAll();
    document.documentElement.dataset.drawn = Math.round(performance.now() - began);
  } catch (error) {
    const note = document.createElement("p");
    note.className = "warning";
    note.textContent = `The figures could not be drawn (${error.message}): open this page in a browser of 2023 or newer.`;
    document.querySelector("main").prepend(note);
    throw error;
  }
})();
