"use strict";
/* Folds that open where an address leads, tables that copy as CSV, drawings that fit when shown. */
(function () {
  function all(selector, root) {
    return Array.prototype.slice.call((root || document).querySelectorAll(selector));
  }

  function fit(root) {
    if (!window.Plotly) return;
    all(".js-plotly-plot", root).forEach(function (plot) {
      if (plot.offsetWidth) window.Plotly.Plots.resize(plot);
    });
  }

  function measure(root) {
    all(".scroll", root).forEach(function (box) {
      if (!box.offsetWidth) return;
      var table = box.querySelector("table");
      var first = table && table.querySelector("tbody th, tbody td");
      if (first) table.style.setProperty("--first", first.offsetWidth + "px");
      box.classList.toggle("wide", box.scrollWidth > box.clientWidth + 1);
    });
  }

  function settle(root) {
    fit(root);
    measure(root);
  }

  all("details").forEach(function (fold) {
    fold.addEventListener("toggle", function () {
      if (fold.open) settle(fold);
    });
  });

  function arrive() {
    var name = window.location.hash.slice(1);
    if (!name) return;
    try { name = decodeURIComponent(name); } catch (error) { return; }
    var place = document.getElementById(name);
    if (!place) return;
    for (var box = place; box; box = box.parentElement) {
      if (box.tagName === "DETAILS") box.open = true;
    }
    if (/^H[1-6]$/.test(place.tagName) && place.nextElementSibling &&
        place.nextElementSibling.tagName === "DETAILS") {
      place.nextElementSibling.open = true;
    }
    all(".arrived").forEach(function (old) { old.classList.remove("arrived"); });
    place.classList.add("arrived");
    settle(document);
    place.scrollIntoView({ block: /^(TR|TD)$/.test(place.tagName) ? "center" : "start" });
  }

  function csv(table) {
    return all("tr", table).map(function (row) {
      return all("th, td", row).map(function (cell) {
        var text = cell.textContent.trim();
        return /[",\n\r]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
      }).join(",");
    }).join("\r\n") + "\r\n";
  }

  function copy(text, done) {
    function old() {
      var area = document.createElement("textarea");
      area.value = text;
      area.style.position = "fixed";
      area.style.opacity = "0";
      document.body.appendChild(area);
      area.select();
      var worked = false;
      try { worked = document.execCommand("copy"); } catch (error) { worked = false; }
      document.body.removeChild(area);
      done(worked);
    }
    if (navigator.clipboard && window.isSecureContext) {
      navigator.clipboard.writeText(text).then(function () { done(true); }, old);
    } else {
      old();
    }
  }

  function button(words, text) {
    var made = document.createElement("button");
    made.type = "button";
    made.className = "copy";
    made.textContent = words;
    made.addEventListener("click", function () {
      copy(text(), function (worked) {
        made.textContent = worked ? "copied" : "could not copy";
        window.setTimeout(function () { made.textContent = words; }, 2000);
      });
    });
    return made;
  }

  all("table").forEach(function (table) {
    var box = table.parentElement;
    var bar = document.createElement("p");
    bar.className = "bar";
    bar.appendChild(button("copy as CSV", function () { return csv(table); }));
    var hint = document.createElement("span");
    hint.className = "hint";
    hint.textContent = "more columns to the right: scroll →";
    bar.appendChild(hint);
    box.parentElement.insertBefore(bar, box);
  });
  all("pre.copied").forEach(function (text) {
    text.parentElement.insertBefore(button("copy", function () { return text.textContent; }), text);
  });

  var folded = [];
  window.addEventListener("beforeprint", function () {
    folded = all("details:not([open])");
    folded.forEach(function (fold) { fold.open = true; });
    settle(document);
  });
  window.addEventListener("afterprint", function () {
    folded.forEach(function (fold) { fold.open = false; });
  });
  window.addEventListener("hashchange", arrive);
  window.addEventListener("resize", function () { measure(document); });
  measure(document);
  arrive();
})();
