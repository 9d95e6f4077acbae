"use strict";
(() => {
  const messages = [...document.querySelectorAll(".message")];
  const rows = new Map(
    [...document.querySelectorAll(".row")].map((row) => [row.getAttribute("href").slice(1), row])
  );
  const lanes = document.querySelector(".lanes");
  let current = -1;

  const mark = (row) => rows.forEach((other) => other.classList.toggle("on", other === row));

  const reveal = (row) => {
    if (!row) return;
    const heads = 76;
    const edge = 50;
    const frame = lanes.getBoundingClientRect();
    const band = row.querySelector(".band").getBoundingClientRect();
    const label = row.querySelector(".label").getBoundingClientRect();
    if (band.top < frame.top + heads) lanes.scrollTop -= frame.top + heads - band.top;
    else if (band.bottom > frame.bottom) lanes.scrollTop += band.bottom - frame.bottom;
    if (label.left < frame.left + edge || label.width > frame.width - 2 * edge)
      lanes.scrollLeft -= frame.left + edge - label.left;
    else if (label.right > frame.right - edge) lanes.scrollLeft += label.right - frame.right + edge;
  };

  const go = (place, move) => {
    if (place < 0 || place >= messages.length) return;
    messages[current]?.classList.remove("on");
    if (messages[current]) messages[current].tabIndex = -1;
    current = place;
    const message = messages[place];
    message.tabIndex = 0;
    message.classList.add("on");
    if (move) {
      message.focus({ preventScroll: true });
      message.scrollIntoView({ block: "nearest" });
    }
    mark(rows.get(message.id));
    reveal(rows.get(message.id));
  };

  messages.forEach((message, place) => {
    message.tabIndex = place === 0 ? 0 : -1;
    message.addEventListener("focusin", () => place !== current && go(place, false));
    message.addEventListener("pointerenter", () => mark(rows.get(message.id)));
  });

  rows.forEach((row, id) =>
    row.addEventListener("click", (event) => {
      event.preventDefault();
      go(messages.findIndex((message) => message.id === id), true);
    })
  );

  const unfold = (open) =>
    document.querySelectorAll("details").forEach((part) => {
      part.open = open;
    });

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const onMessage = document.activeElement?.classList.contains("message");
    if (event.key === "j" || (onMessage && event.key === "ArrowDown")) go(current + 1, true);
    else if (event.key === "k" || (onMessage && event.key === "ArrowUp")) go(Math.max(0, current - 1), true);
    else if (event.key === "e") unfold(!document.querySelector("details[open]"));
    else return;
    event.preventDefault();
  });

  addEventListener("beforeprint", () => unfold(true));
})();
