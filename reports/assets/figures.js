// Draws the figures of a page when they come into sight, in the page's style, at its width.
(() => {
  "use strict";
  const style = JSON.parse(document.getElementById("plot-style").textContent);
  const pairs = new Map(Object.entries(style.pairs));
  const darkness = matchMedia("(prefers-color-scheme: dark)");
  const plots = new Map();
  let Plotly; // once it is unpacked
  let unpacking;
  let printing = false;
  const PAPER = 680;

  async function unpack() {
    const packed = document.getElementById("plotly-bundle").textContent;
    const bytes = Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const script = document.createElement("script");
    script.textContent = await new Response(stream).text();
    document.head.append(script); // runs at once and leaves window.Plotly
    script.remove();
    Plotly = window.Plotly;
  }
  const bundle = () => (unpacking ??= unpack());

  function themed(text) {
    const dark = darkness.matches && !printing;
    const figure = JSON.parse(text, dark ? (key, value) => pairs.get(value) ?? value : undefined);
    figure.layout.template = dark ? style.dark : style.light;
    return figure;
  }

  // Panels in as many columns as there is room for; heights stay.
  function arrange(figure, width) {
    const { layout, data } = figure;
    const grid = layout.meta;
    layout.width = width;
    layout.autosize = false;
    if (!grid?.panels) return;
    const own = grid.apart ? grid.left : 0;
    const gap = grid.apart ? 16 : 14;
    const room = width - (grid.apart ? 0 : grid.left) - 14;
    const fit = Math.floor((room + gap) / (grid.width + own + gap));
    let columns = Math.max(1, Math.min(grid.columns, fit, grid.panels));
    const rows = Math.ceil(grid.panels / columns);
    columns = Math.ceil(grid.panels / rows);
    const each = grid.top + grid.height + grid.below;
    const tall = rows * each;
    const wide = (room - gap * (columns - 1)) / columns;
    layout.height = tall;
    layout.margin = { l: grid.apart ? 0 : grid.left, r: 14, t: 0, b: 0, pad: 0 };
    const first = layout.yaxis?.title?.text;
    for (let i = 0; i < grid.panels; i++) {
      const end = i ? String(i + 1) : "";
      const column = i % columns;
      const row = Math.floor(i / columns);
      const x = (layout["xaxis" + end] ??= {});
      const y = (layout["yaxis" + end] ??= {});
      const left = column * (wide + gap);
      x.domain = [(left + own) / room, Math.min(1, (left + wide) / room)];
      y.domain = [1 - (row * each + grid.top + grid.height) / tall, 1 - (row * each + grid.top) / tall];
      if (!grid.apart) {
        y.showticklabels = column === 0;
        y.title = { ...y.title, text: column === 0 ? first : "" };
      }
      thin(data, end, wide - own);
    }
  }

  // Numbers of a map are small where its cells are narrow, and left out where they have no room.
  function thin(data, end, wide) {
    for (const trace of data) {
      if (trace.type !== "heatmap" || (trace.yaxis ?? "y") !== "y" + end) continue;
      const each = wide / trace.x.length;
      if (each < 14) delete trace.texttemplate;
      else if (each < 25) trace.textfont = { ...trace.textfont, size: each < 19 ? 8 : 9 };
    }
  }

  function spread(plot) {
    const figure = themed(plot.text);
    const { layout, data } = figure;
    layout.showlegend = false;
    const sliders = layout.sliders;
    delete layout.sliders;
    for (const trace of data) {
      const state = plot.shown.get(group(trace));
      if (state !== undefined) trace.visible = state || "legendonly";
    }
    if (data[0]?.type === "scatter3d") look(plot, figure);
    arrange(figure, printing ? PAPER : plot.canvas.clientWidth);
    return { figure, sliders };
  }

  // Points of space from where the reader looks: two ranges turn the view, or the mouse does.
  function look(plot, figure) {
    const [points] = figure.data;
    const { scene } = figure.layout;
    if (!plot.view) {
      plot.view = { turn: 30, tilt: 25 };
      plot.range = (name, most) => range(plot, name, most);
      drag(plot);
    }
    if (plot.step) for (const axis of "xyz") points[axis] = plot.step.args[0][axis][0];
    const [turn, tilt] = [plot.view.turn, plot.view.tilt].map((degrees) => (degrees * Math.PI) / 180);
    const [c, s, d, e] = [Math.cos(turn), Math.sin(turn), Math.cos(tilt), Math.sin(tilt)];
    const seen = (x, y, z) => [c * x + s * y, e * (c * y - s * x) + d * z, d * (s * x - c * y) + e * z];
    const reach = scene.xaxis.range[1];
    const placed = points.x.map((x, i) => seen(x, points.y[i], points.z[i]));
    const flat = {
      ...points, type: "scatter", x: placed.map((p) => p[0]), y: placed.map((p) => p[1]),
      marker: { ...points.marker, size: placed.map((p) => 9 + (3 * p[2]) / reach) },
    };
    delete flat.z;
    const arms = [["xaxis", reach, 0, 0], ["yaxis", 0, reach, 0], ["zaxis", 0, 0, reach]];
    const axes = arms.map(([axis, ...end]) => {
      const [x, y] = seen(...end);
      return {
        type: "scatter", mode: "lines+text", x: [-x, x], y: [-y, y], text: ["", scene[axis].title.text],
        textposition: x < 0 ? "middle left" : "middle right", textfont: { size: 11 }, hoverinfo: "skip",
        line: { width: 1, dash: "dot", color: style.light.layout.xaxis.title.font.color }, showlegend: false,
      };
    });
    figure.data.splice(0, 1, ...axes, flat);
    const side = { visible: false, fixedrange: true, range: [-1.45 * reach, 1.45 * reach] };
    figure.layout.xaxis = side;
    figure.layout.yaxis = { ...side, range: [-1.15 * reach, 1.15 * reach], scaleanchor: "x" };
    figure.layout.dragmode = false;
    delete figure.layout.scene;
  }

  function range(plot, name, most) {
    const [label, input, output] = ["label", "input", "output"].map((tag) => document.createElement(tag));
    Object.assign(input, { type: "range", min: -most, max: most, step: 5, value: plot.view[name] });
    input.dataset.view = name;
    input.setAttribute("aria-label", name + " of the view, in degrees");
    output.textContent = name;
    input.addEventListener("input", () => {
      plot.view[name] = Number(input.value);
      draw(plot);
    });
    label.append(input, output);
    plot.slider.append(label);
  }

  function drag(plot) {
    plot.canvas.style.touchAction = "pan-y";
    plot.canvas.addEventListener("pointermove", (event) => {
      if (!(event.buttons & 1)) return;
      const bounded = (value, most) => Math.max(-most, Math.min(most, value));
      plot.view.turn = bounded(plot.view.turn - event.movementX / 2, 180);
      plot.view.tilt = bounded(plot.view.tilt + event.movementY / 2, 90);
      for (const input of plot.slider.querySelectorAll("[data-view]")) input.value = plot.view[input.dataset.view];
      requestAnimationFrame(() => draw(plot));
    });
  }

  function draw(plot) {
    const { figure, sliders } = spread(plot);
    if (!plot.drawn) {
      plot.drawn = true;
      legend(plot, figure.data);
      slide(plot, sliders?.[0]);
      plot.range?.("turn", 180);
      plot.range?.("tilt", 90);
      tell(plot);
    }
    plot.canvas.style.minHeight = "";
    const options = { displayModeBar: false, responsive: false, showTips: false };
    Plotly.react(plot.canvas, figure.data, figure.layout, options);
    if (plot.step && !plot.view) Plotly[plot.step.method](plot.canvas, ...plot.step.args);
    paint(plot, figure.data);
    plot.place.dataset.drawn = "yes";
  }

  async function show(plot) {
    if (plot.asked) return;
    plot.asked = true;
    try {
      await bundle();
      draw(plot);
    } catch (fault) {
      plot.canvas.textContent =
        "This browser could not draw the figure; its numbers stand in the tables. (" + fault + ")";
      plot.canvas.style.minHeight = "";
      console.error(fault);
    }
  }

  const group = (trace) => trace.legendgroup ?? trace.name;
  const DASHES = { solid: "", dot: "2 3", dash: "7 4", longdash: "11 4", dashdot: "7 3 2 3" };

  function legend(plot, data) {
    const named = data.filter((trace) => trace.name && trace.showlegend !== false);
    if (named.length < 2) return;
    named.sort((a, b) => (a.legendrank ?? 1000) - (b.legendrank ?? 1000));
    let more = named.some((trace) => trace.visible !== "legendonly");
    for (const trace of named) {
      if (more && trace.visible === "legendonly") {
        const words = plot.legend.appendChild(document.createElement("span"));
        words.textContent = "more lines, shown when chosen:";
        more = false;
      }
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.group = group(trace);
      button.append(document.createElement("span"), plain(trace.name));
      button.addEventListener("click", () => {
        plot.shown.set(group(trace), button.getAttribute("aria-pressed") !== "true");
        draw(plot);
      });
      plot.legend.append(button);
    }
  }

  // Which lines are drawn, and a sample of each in the colours of the page.
  function paint(plot, data) {
    const template = darkness.matches && !printing ? style.dark : style.light;
    for (const button of plot.legend.querySelectorAll("button")) {
      const own = data.filter((trace) => group(trace) === button.dataset.group);
      const lit = own.some((trace) => trace.visible !== "legendonly");
      const trace = own[0];
      const way = template.layout.colorway;
      const colour = trace.line?.color ?? trace.marker?.color ?? way[data.indexOf(trace) % way.length];
      const points = trace.mode === "markers";
      button.setAttribute("aria-pressed", String(lit));
      const round = points && String(trace.marker?.symbol).includes("circle");
      button.firstChild.innerHTML = round
        ? `<svg width="14" height="12"><circle cx="6.5" cy="6" r="4"/></svg>`
        : points
        ? `<svg width="14" height="12"><rect x="2" y="1.5" width="9" height="9" fill="none"/></svg>`
        : `<svg width="26" height="12"><path d="M0 6h26" stroke-dasharray="${DASHES[trace.line?.dash ?? "solid"] ?? ""}"/></svg>`;
      const sample = button.firstChild.firstChild.firstChild;
      sample.style.stroke = typeof colour === "string" ? colour : way[0];
      if (round) sample.style.fill = sample.style.stroke;
      sample.style.strokeWidth = points ? 1.4 : 2;
    }
  }

  function slide(plot, slider) {
    if (!slider) return;
    const label = document.createElement("label");
    const input = document.createElement("input");
    const output = document.createElement("output");
    const prefix = plain(slider.currentvalue?.prefix ?? "");
    Object.assign(input, { type: "range", min: 0, max: slider.steps.length - 1, step: 1 });
    input.value = slider.active ?? 0;
    const say = () => {
      const step = slider.steps[input.value];
      output.textContent = prefix + plain(step.label);
      input.setAttribute("aria-valuetext", output.textContent);
      return step;
    };
    input.addEventListener("input", () => {
      plot.step = say();
      draw(plot);
    });
    input.setAttribute("aria-label", prefix || "step");
    say();
    label.append(input, output);
    plot.slider.append(label);
  }

  // The numbers of a figure as a table, made when a reader asks for it.
  function tell(plot) {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    summary.textContent = "numbers of this figure";
    details.append(summary);
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1) details.append(table(JSON.parse(plot.text)));
    });
    plot.place.append(details);
  }

  function table(figure) {
    const titles = {};
    for (const note of figure.layout.annotations ?? []) {
      if (/^x\d* domain$/.test(note.xref)) titles[note.xref.split(" ")[0]] = plain(note.text);
    }
    const lines = [["panel", "series", "x", "y", "value"]];
    for (const trace of figure.data) {
      const panel = titles[trace.xaxis ?? "x"] ?? "";
      const [xs, ys] = [trace.x ?? [], trace.y ?? []];
      if (trace.type === "heatmap") {
        ys.forEach((y, j) => xs.forEach((x, i) => {
          if (trace.z[j][i] !== null) lines.push([panel, "", x, y, trace.z[j][i]]);
        }));
      } else {
        xs.forEach((x, i) => {
          if (ys[i] !== null) lines.push([panel, trace.name ?? "", x, ys[i], trace.z?.[i] ?? ""]);
        });
      }
    }
    const kept = lines[0].map((_, i) => lines.slice(1).some((line) => line[i] !== "" && line[i] !== undefined));
    const made = document.createElement("table");
    lines.forEach((line, number) => {
      const row = made.insertRow();
      line.forEach((value, i) => {
        if (!kept[i]) return;
        const cell = number ? row.insertCell() : row.appendChild(document.createElement("th"));
        cell.textContent = plain(String(value ?? ""));
      });
    });
    const scroll = document.createElement("div");
    scroll.className = "scroll";
    scroll.tabIndex = 0;
    scroll.append(made);
    return scroll;
  }

  // Plotly's writing of text as text.
  const SIGNS = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
  function plain(text) {
    return String(text).replace(/<br>/g, " ").replace(/<\/?(b|i|sub|sup)>/g, "")
      .replace(/&(lt|gt|amp);/g, (sign) => SIGNS[sign]);
  }

  function redraw() {
    for (const plot of plots.values()) {
      if (!plot.drawn) continue;
      if (plot.place.clientWidth) draw(plot);
      else plot.width = 0; // in a closed fold: drawn anew when it opens
    }
  }

  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) show(plots.get(entry.target));
  }, { rootMargin: "300px" });
  const sized = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      const plot = plots.get(target);
      const width = Math.round(contentRect.width);
      if (!width || printing || plot.width === width) continue;
      plot.width = width;
      if (plot.drawn) requestAnimationFrame(() => draw(plot));
    }
  });

  function start() {
    for (const place of document.querySelectorAll(".plot")) {
      const find = (name) => place.querySelector(".plot-" + name);
      plots.set(place, {
        place, canvas: find("canvas"), legend: find("legend"),
        slider: find("slider"), text: place.querySelector("script").textContent, shown: new Map(),
      });
      seen.observe(place);
      sized.observe(place);
    }
    // The bundle is unpacked while nothing else is to do, so that paper finds it ready.
    const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 200));
    idle(async () => {
      await bundle();
      for (const place of plots.keys()) place.dataset.ready = "yes";
    });
  }

  addEventListener("beforeprint", () => {
    printing = true;
    if (Plotly) for (const plot of plots.values()) draw(plot);
  });
  addEventListener("afterprint", () => {
    printing = false;
    redraw();
  });
  darkness.addEventListener("change", redraw);
  document.readyState === "loading" ? addEventListener("DOMContentLoaded", start) : start();
})();
