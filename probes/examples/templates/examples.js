"use strict";
(() => {
  // Entries are those of linrep.probes.examples.coding.
  const NONE = "-";
  const percent = (share) => Math.round(100 * share) + " %";

  function read(entry, label, target) {
    if (entry === NONE || entry === undefined) return null;
    if (target.kind === "number") {
      const [said, credit] = entry.split(";");
      const score = Number(credit) / 100;
      return { code: "", true: label, said, right: score >= 0, score, sure: NaN };
    }
    const code = Number(label);
    const [first, sure, score] = entry.split(":");
    const bare = entry === "=" || entry[0] === "!";
    const right = entry === "=" || (!bare && sure === undefined);
    const other = right ? code : Number(entry[0] === "!" ? entry.slice(1) : first);
    return {
      code: label, true: target.classes[code], said: target.classes[other], right,
      score: bare ? NaN : right ? Number(first) / 100 : score === NONE ? 0 : Number(score) / 100,
      sure: bare ? NaN : Number(right ? first : sure) / 100,
    };
  }

  function amiss(answer) {
    if (!Number.isNaN(answer.sure)) return answer.right ? -answer.score : answer.sure;
    if (!Number.isNaN(answer.score)) return -answer.score;
    return answer.right ? -1 : 1;
  }

  function shade(answer) {
    if (Number.isNaN(answer.score)) return answer.right ? "s4" : "s0";
    const bounds = [0.1, 0.3, 0.5, 0.7, 0.9];
    return "s" + bounds.filter((bound) => answer.score >= bound).length;
  }

  function told(answer) {
    return answer.right && answer.true === answer.said ? answer.true : answer.said + " ≠ " + answer.true;
  }

  function sentence(answer, target) {
    if (!answer) return "no " + target.name + " is asked for here";
    if (target.kind === "number") {
      return "true " + answer.true + ", predicted " + answer.said + ", credit " + answer.score.toFixed(2);
    }
    const sure = Number.isNaN(answer.sure) ? "" : " with " + percent(answer.sure);
    if (answer.right) return "true " + answer.true + ", predicted" + sure;
    const rest = Number.isNaN(answer.score) ? "" : "; the true label has " + percent(answer.score);
    return "wrong: true " + answer.true + ", predicted " + answer.said + sure + rest;
  }

  function explore(root) {
    const find = (css) => root.querySelector(css);
    const data = JSON.parse(find(".ex-data").textContent);
    const list = find(".ex-list"), items = [...list.children].sort((a, b) => a.dataset.n - b.dataset.n);
    const words = items.map((item) => [...item.querySelectorAll(".ex-word")]);
    const picks = { target: find(".ex-target"), site: find(".ex-site"), label: find(".ex-label"), wrong: find(".ex-wrong") };
    const more = find(".ex-more");
    const FEW = 6;
    let here = -1, all = false;

    const target = () => data.targets[Number(picks.target.value)];
    const lines = (line) => (line === "" ? [] : line.split(" "));
    const answers = (text) => {
      const said = lines(target().answers[Number(picks.site.value)][text]);
      return lines(target().truth[text]).map((label, word) => read(said[word], label, target()));
    };

    function labels() {
      const names = target().classes;
      picks.label.replaceChildren(new Option("all labels", ""));
      names.forEach((name, code) => picks.label.add(new Option(name, String(code))));
      root.querySelectorAll(".ex-labels").forEach((part) => { part.hidden = names.length === 0; });
    }

    function draw() {
      const place = data.sites[Number(picks.site.value)], label = picks.label.value;
      picks.site.setAttribute("aria-valuetext", place);
      find(".ex-place").textContent = place;
      const head = document.createElement("b");
      head.textContent = target().name + ", " + place + ".";
      find(".ex-about").replaceChildren(head, " " + target().about[Number(picks.site.value)]);
      find(".ex-legend").querySelectorAll(".ex-key:not(.ex-bad)").forEach((key, i) => {
        key.textContent = target().legend[i];
        key.parentElement.hidden = target().legend[i] === "";
      });
      const ranks = items.map((item, text) => {
        const said = answers(text);
        let rank = -2, fits = false;
        words[text].forEach((word, i) => {
          const answer = said[i];
          word.className = "ex-word" + (answer ? " " + shade(answer) + (answer.right ? "" : " ex-bad") : "");
          word.nextElementSibling.textContent = answer ? told(answer) : "";
          word.title = sentence(answer, target());
          if (answer && (label === "" || answer.code === label)) {
            rank = Math.max(rank, amiss(answer));
            fits = fits || !picks.wrong.checked || !answer.right;
          }
        });
        item.dataset.fits = fits ? "yes" : "";
        item.querySelector(".ex-detail").textContent = "";
        item.querySelector(".ex-link").href = "#" + tag(text);
        return rank;
      });
      const order = items.map((_, text) => text).sort((a, b) => ranks[b] - ranks[a] || a - b);
      list.append(...order.map((text) => items[text]));
      const fitting = order.map((text) => items[text]).filter((item) => item.dataset.fits);
      items.forEach((item) => { item.hidden = !item.dataset.fits; });
      if (!all) fitting.slice(FEW).forEach((item) => { item.hidden = items.indexOf(item) !== here; });
      const rest = fitting.filter((item) => item.hidden).length;
      more.hidden = rest === 0;
      more.textContent = "show " + rest + " more";
      find(".ex-none").hidden = fitting.length > 0;
    }

    function tag(text) {
      const cell = target().addresses[Number(picks.site.value)];
      return cell ? cell + "/example-" + (text + 1) : items[text].id;
    }

    function detail(word) {
      const item = word.closest(".ex-text"), text = items.indexOf(item);
      const answer = answers(text)[words[text].indexOf(word)];
      item.querySelector(".ex-detail").textContent = word.textContent + ": " + sentence(answer, target());
    }

    // One word of a sentence is in the tab order; arrows go to the others.
    words.forEach((row) => row.forEach((word, i) => {
      word.tabIndex = i ? -1 : 0;
      word.setAttribute("role", "button");
      word.addEventListener("focus", () => detail(word));
      word.addEventListener("mouseenter", () => detail(word));
      word.addEventListener("click", () => detail(word));
      word.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          detail(word);
          return;
        }
        const next = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: row.length - 1 }[event.key];
        if (next === undefined || !row[next]) return;
        event.preventDefault();
        word.tabIndex = -1;
        row[next].tabIndex = 0;
        row[next].focus();
        detail(row[next]); // a window behind another one is sent no focus event
      });
    }));

    function moved() {
      draw();
      if (here >= 0) history.replaceState(null, "", "#" + tag(here));
    }

    function go() {
      let hash = location.hash.slice(1);
      try { hash = decodeURIComponent(hash); } catch { return; }
      const [, cell, number] = /^(.+)\/example-(\d+)$/.exec(hash) || [];
      const which = data.targets.findIndex((each) => each.addresses.includes(cell));
      const text = Number(number) - 1;
      if (!cell || which < 0 || !items[text]) return;
      const site = data.targets[which].addresses.indexOf(cell);
      picks.target.value = String(which);
      labels();
      picks.site.value = String(site);
      picks.wrong.checked = false;
      here = text;
      draw();
      items.forEach((item, i) => item.classList.toggle("ex-here", i === here));
      for (let up = root.parentElement; up; up = up.parentElement) if (up.tagName === "DETAILS") up.open = true;
      items[text].scrollIntoView();
    }

    picks.target.addEventListener("change", () => {
      labels();
      picks.site.value = String(target().start);
      moved();
    });
    picks.site.addEventListener("input", moved);
    picks.label.addEventListener("change", moved);
    picks.wrong.addEventListener("change", moved);
    more.addEventListener("click", () => {
      all = true;
      draw();
    });
    window.addEventListener("hashchange", go);
    find(".ex-controls").hidden = false;
    picks.target.value = String(data.first);
    labels();
    draw();
    go();
  }

  document.querySelectorAll("section.ex").forEach(explore);
})();
