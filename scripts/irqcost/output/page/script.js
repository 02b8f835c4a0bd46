// SPDX-License-Identifier: GPL-2.0-only
// Sorting, filtering, details and the switch of colours. Without it the page shows all the same.
"use strict";

// Colours: `auto` follows the system.
const theme = document.getElementById("theme");
theme.hidden = false;
theme.addEventListener("change", (event) => {
  const chosen = event.target.value;
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
});

// Sorting: what has no number is last in either direction.
function compare(one, other, direction) {
  const [a, b] = [one, other].map((cell) => cell.dataset.value ?? null);
  if (a !== null && b !== null) return direction * (Number(a) - Number(b));
  if (a !== null || b !== null) return a === null ? 1 : -1;
  return direction * one.textContent.localeCompare(other.textContent, "en", { numeric: true });
}

function sort(table, place, heading) {
  const direction = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  rows.sort((one, other) => compare(one.cells[place], other.cells[place], direction));
  body.append(...rows);
}

// Filtering: all words of the search must occur, and each choice must match.
function filter(table, form) {
  const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const choices = [...form.querySelectorAll("select")].filter((one) => one.value);
  const sound = form.elements.sound?.checked;
  let shown = 0;
  for (const row of table.tBodies[0].rows) {
    const text = row.dataset.words.toLowerCase();
    const fits =
      words.every((word) => text.includes(word)) &&
      choices.every((one) => row.dataset[one.name] === one.value) &&
      !(sound && "unreliable" in row.dataset);
    row.hidden = !fits;
    shown += fits;
  }
  const all = table.tBodies[0].rows.length;
  form.querySelector("output").value = shown === all ? `${all} rows` : `${shown} of ${all} rows`;
}

// Details of a cell, beside it and within the window.
const details = document.getElementById("details");

function show(cell) {
  details.textContent = cell.dataset.details;
  details.hidden = false;
  cell.setAttribute("aria-describedby", "details");
  const place = cell.getBoundingClientRect();
  const size = details.getBoundingClientRect();
  const below = place.bottom + 6 + size.height <= innerHeight;
  details.style.top = `${Math.max(4, below ? place.bottom + 6 : place.top - 6 - size.height)}px`;
  details.style.left = `${Math.max(8, Math.min(place.left, document.documentElement.clientWidth - size.width - 8))}px`;
}

function hide() {
  details.hidden = true;
  document.querySelector('[aria-describedby="details"]')?.removeAttribute("aria-describedby");
}

// One cell of a table is in the order of the tabulator, and the arrow keys go on from it.
function focus(table, cell) {
  for (const other of table.querySelectorAll('td[tabindex="0"]')) other.tabIndex = -1;
  cell.tabIndex = 0;
  cell.focus();
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

function step(table, cell, [down, right]) {
  const rows = [...table.tBodies[0].rows].filter((row) => !row.hidden);
  const row = rows[rows.indexOf(cell.parentElement) + down];
  for (let place = cell.cellIndex + right; row?.cells[place]; place += right) {
    if ("details" in row.cells[place].dataset) return focus(table, row.cells[place]);
    if (right === 0) return undefined;
  }
  return undefined;
}

for (const hint of document.querySelectorAll(".hint[data-table]")) {
  const table = document.getElementById(hint.dataset.table);
  hint.hidden = false;
  const form = document.querySelector(`form[data-table="${hint.dataset.table}"]`);
  if (form) {
    form.hidden = false;
    for (const kind of ["input", "change"]) form.addEventListener(kind, () => filter(table, form));
    form.addEventListener("submit", (event) => event.preventDefault());
    filter(table, form);
  }
  [...table.tHead.rows[0].cells].forEach((heading, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(table, place, heading));
  });
  const cells = table.querySelectorAll("td[data-details]");
  cells.forEach((cell, place) => { cell.tabIndex = place ? -1 : 0; });
  const at = (event) => event.target.closest("td[data-details]");
  table.addEventListener("pointerover", (event) => (at(event) ? show(at(event)) : hide()));
  table.addEventListener("pointerleave", hide);
  table.addEventListener("focusin", (event) => { if (at(event)) show(at(event)); });
  table.addEventListener("focusout", hide);
  table.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    if (!at(event) || !(event.key in STEPS)) return;
    event.preventDefault();
    step(table, at(event), STEPS[event.key]);
  });
}
