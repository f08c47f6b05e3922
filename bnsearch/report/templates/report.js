"use strict";
// Draws the figures of the page in the reader's colours, and lets the reader choose what they show. Those of the first
// screen are drawn at once (html[data-first]), others when they come near or there is time (html[data-drawn]: all are).
(async () => {
  const began = performance.now();
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const darkForLight = read("dark-for-light"), cycle = read("cycle");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const touch = matchMedia("(pointer: coarse)").matches;
  const scripts = new Map([...document.querySelectorAll("[data-figure]")].map((s) => [s.dataset.figure, s]));
  const names = [...scripts.keys()], waiting = new Set(names); // for being drawn
  const figures = new Map(); // name -> what the page holds, in light colours, once it was needed
  let colourOf = new Map(); // of selected trials
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
    const code = await new Response(stream).blob(), address = URL.createObjectURL(code);
    const add = (properties) => document.head.append(Object.assign(document.createElement("script"), properties));
    // by its address it is compiled beside this thread; a browser may give a file's pages none that works
    const ran = await new Promise((say) => add({ src: address, onload: () => say(true), onerror: () => say(false) }));
    URL.revokeObjectURL(address);
    if (!ran) add({ textContent: await code.text() });
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

  function figure(name) {
    if (!figures.has(name)) figures.set(name, JSON.parse(scripts.get(name).textContent));
    return figures.get(name);
  }

  // All traces, or those of the selected trials.
  function traces(place) {
    const { data } = figure(place.id);
    if (!place.classList.contains("selectable")) return data.filter((trace) => trace.visible !== false);
    const own = data.filter((trace) => colourOf.has(trace.meta));
    return own.map((trace) => ({ ...trace, visible: true, line: { ...trace.line, color: colourOf.get(trace.meta) } }));
  }

  function isNarrow(place) {
    return 0 < place.clientWidth && place.clientWidth < 480;
  }

  // Takes the room before a figure is drawn, so that nothing moves then.
  function reserve(place) {
    if (isNarrow(place) && place.classList.contains("square")) // and names below it
      place.style.height = `${place.clientWidth + 40}px`;
  }

  // A bar of colours where there is no room beside the figure.
  function below(bar) {
    const title = { ...bar.title, side: "bottom", font: { size: 11 } };
    return { ...bar, title, orientation: "h", len: 1, xanchor: "center", x: 0.5, yanchor: "top", y: -0.16 };
  }

  async function draw(name) {
    const place = document.getElementById(name);
    if (!place.offsetParent) return; // hidden: drawn when it is chosen
    waiting.delete(name);
    observer.unobserve(place);
    reserve(place);
    const shown = coloured({ ...figure(name).layout, dragmode: touch ? false : "zoom" });
    if (isNarrow(place)) {
      shown.margin = { ...shown.margin, l: 40, r: 4 };
      shown.font = { ...shown.font, size: 11 };
      shown.height = parseFloat(place.style.height);
      if (shown.coloraxis) shown.coloraxis = { ...shown.coloraxis, colorbar: below(shown.coloraxis.colorbar) };
    }
    if (printing) shown.width = printWidth;
    await Plotly.react(place, coloured(traces(place)), shown, config);
  }

  // Lets the browser show what was drawn; then one after another, as far as they are still to be drawn.
  async function drawEach(wanted, pause) {
    for (const name of wanted) {
      if (!waiting.has(name)) continue;
      await draw(name);
      await pause();
    }
  }

  const shortly = () => new Promise((resume) => setTimeout(resume));
  const idle = () =>
    new Promise((resume) => (self.requestIdleCallback ? requestIdleCallback(resume, { timeout: 1000 }) : setTimeout(resume)));

  const observer = new IntersectionObserver(
    (entries) => {
      drawEach(entries.filter((entry) => entry.isIntersecting).map((entry) => entry.target.id), shortly);
    },
    { rootMargin: "800px 0px" },
  );

  // The trials whose buttons are pressed, each with the next colour of the cycle.
  function select() {
    const pressed = [...document.querySelectorAll("[data-trial][aria-pressed=true]")];
    colourOf = new Map(pressed.map((button, i) => [button.dataset.trial, cycle[i % cycle.length]]));
    for (const button of document.querySelectorAll("[data-trial]"))
      button.style.borderColor = coloured(colourOf.get(button.dataset.trial)) ?? "";
  }

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
    for (const name of names.filter((name) => !waiting.has(name))) {
      await draw(name);
      await shortly();
    }
  });
  for (const [event, value] of [["beforeprint", true], ["afterprint", false]])
    addEventListener(event, () => {
      printing = value;
      select();
      for (const name of self.Plotly ? names : []) {
        draw(name); // at once: paper does not wait
        const place = document.getElementById(name);
        if (!printing && place.offsetParent) Plotly.Plots.resize(place);
      }
    });

  try {
    const places = names.map((name) => document.getElementById(name)), mark = document.documentElement.dataset;
    places.forEach(reserve);
    select();
    await unpack("plotly");
    const isSeen = (box) => box.height > 0 && box.bottom > 0 && box.top < innerHeight;
    await drawEach(names.filter((name, i) => isSeen(places[i].getBoundingClientRect())), shortly);
    mark.first = Math.round(performance.now() - began);
    places.forEach((place) => waiting.has(place.id) && observer.observe(place));
    await idle();
    await drawEach(names, idle);
    mark.drawn = Math.round(performance.now() - began);
  } catch (error) {
    const note = document.createElement("p");
    note.className = "warning";
    note.textContent = `The figures could not be drawn (${error.message}): open this page in a browser of 2023 or newer.`;
    document.querySelector("main").prepend(note);
    throw error;
  }
})();
