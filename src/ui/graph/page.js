"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const svg = $("canvas"), world = $("world"), panel = $("panel"), search = $("search");
  const SVG = "http://www.w3.org/2000/svg";
  const HEADER = 34, DIP = 26;

  const make = (name, attributes = {}, text) => {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const html = (name, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const counted = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;

  // One of the two pictures: with instances folded, and with each by itself.
  class View {
    constructor(info, root) {
      Object.assign(this, info);
      this.root = root;
      this.collapsed = new Set();
      this.elements = {};
      for (const element of root.querySelectorAll("[data-group]")) this.elements["g" + element.dataset.group] = element;
      for (const element of root.querySelectorAll(".node")) this.elements["n" + element.dataset.node] = element;
      this.paths = [...root.querySelectorAll("[data-edge]")];
      this.byItem = new Map(this.nodes.map((node, index) => [node.item, index]));
      this.text = this.nodes.map((node) =>
        [node.address, node.type, ...node.members, ...node.attributes.flat()].join("\n").toLowerCase());
      this.nodes.forEach((node, index) => this.prepare(node, index));
      this.groups.forEach((group, index) => this.toggle(group, index));
      this.place();
    }

    prepare(node) {
      const element = this.elements[node.item];
      const says = [node.type, node.fate && node.fate.does, node.cost].filter(Boolean).join(", ");
      element.setAttribute("tabindex", "-1");
      element.setAttribute("role", "button");
      element.setAttribute("aria-label", `${node.address}, ${says}`);
    }

    // The sign by which a group is collapsed and opened.
    toggle(group, index) {
      const element = this.elements["g" + index];
      if (!element) return;
      const width = this.rects["g" + index][2];
      const sign = make("g", { class: "toggle", "data-toggle": index, transform: `translate(${width - 30} 6)` });
      sign.append(make("rect", { width: 24, height: 22 }), make("path", { d: "M7 8l5 6 5-6" }));
      element.append(sign);
      if (group.node === null) {
        element.setAttribute("tabindex", "-1");
        element.setAttribute("role", "button");
        element.setAttribute("aria-label", `${group.what} ${group.name}`);
      }
    }

    parentOf(item) {
      return item[0] === "g" ? this.groups[+item.slice(1)].parent : this.nodes[+item.slice(1)].parent;
    }

    // What stands for an item: the outermost collapsed group around it.
    shown(item) {
      let shown = item;
      for (let at = this.parentOf(item); at !== null; at = this.groups[at].parent) if (this.collapsed.has(at)) shown = "g" + at;
      return shown;
    }

    isIn(item, group) {
      for (let at = this.parentOf(item); at !== null; at = this.groups[at].parent) if (at === group) return true;
      return false;
    }

    size(item) {
      const [, , w, h] = this.rects[item];
      if (item[0] === "n") return [w, h];
      const index = +item.slice(1), group = this.groups[index];
      if (this.collapsed.has(index)) return [Math.min(w, 90 + 7.3 * (group.what.length + group.name.length)), HEADER + 22];
      const lost = this.shrunk(group.rows);
      return [w, h - lost];
    }

    // How much lower rows are than they were laid out.
    shrunk(rows) {
      return rows.reduce((lost, row) => lost + row.h - this.rowHeight(row), 0);
    }

    rowHeight(row) {
      return row.items.length ? Math.max(...row.items.map((item) => this.size(item)[1])) : row.h;
    }

    // Puts everything where it is now: below what has collapsed, things move up.
    place() {
      this.now = {};
      this.lines = new Map();
      const put = (rows, key, moved) => {
        let up = 0;
        const lines = rows.map((row) => {
          const h = this.rowHeight(row), y = row.y + moved - up;
          for (const item of row.items) {
            const [x, oldY, oldW] = this.rects[item];
            const [w, own] = this.size(item);
            const top = y + (h - own) / 2;
            this.now[item] = [x + (oldW - w) / 2, top, w, own];
            if (item[0] === "g" && !this.collapsed.has(+item.slice(1))) put(this.groups[+item.slice(1)].rows, +item.slice(1), top - oldY);
          }
          up += row.h - h;
          return [y, h];
        });
        this.lines.set(key, lines);
      };
      put(this.rows, null, 0);
      this.tall = this.height - this.shrunk(this.rows);
      for (const [item, element] of Object.entries(this.elements)) this.draw(item, element);
      this.edges.forEach((edge) => edge.way && this.route(edge, this.paths[edge.way.at]));
    }

    draw(item, element) {
      const isShown = this.shown(item) === item;
      element.toggleAttribute("hidden", !isShown);
      if (!isShown) return;
      const [x, y, w, h] = this.now[item];
      element.setAttribute("transform", `translate(${x} ${y})`);
      if (item[0] !== "g") return;
      const index = +item.slice(1), isClosed = this.collapsed.has(index);
      const box = element.querySelector(".box"), sign = element.querySelector(".toggle");
      box.setAttribute("width", w);
      box.setAttribute("height", h);
      sign.setAttribute("transform", `translate(${w - 30} 6)`);
      sign.querySelector("path").setAttribute("d", isClosed ? "M9 6l6 5-6 5" : "M7 8l5 6 5-6");
      element.setAttribute("aria-expanded", String(!isClosed));
      element.querySelector(".count")?.remove();
      if (isClosed) element.append(make("text", { class: "count", x: 16, y: 44 }, counted(this.inside(index), "resource")));
    }

    inside(group) {
      return this.nodes.filter((node) => this.isIn(node.item, group)).length;
    }

    points(way) {
      const from = this.shown(way.from), to = this.shown(way.to);
      if (from === to || !this.now[from] || !this.now[to]) return null;
      if ((from[0] === "g" && this.isIn(to, +from.slice(1))) || (to[0] === "g" && this.isIn(from, +to.slice(1)))) return null;
      const side = (item, own, beside, bottom) => {
        const [x, y, w, h] = this.now[item];
        return [x + w / 2 + (item === own ? beside : 0), bottom ? y + h : y];
      };
      const points = [side(from, way.from, way.beside[0], way.down)];
      for (const [group, row, x] of way.passes) {
        const line = this.lines.get(group)?.[row];
        if (!line || (group !== null && this.shown("g" + group) !== "g" + group)) continue;
        const [y, h] = line;
        points.push(...(way.down ? [[x, y], [x, y + h]] : [[x, y + h], [x, y]]));
      }
      points.push(side(to, way.to, way.beside[1], !way.down));
      return points;
    }

    route(edge, element) {
      const points = this.points(edge.way);
      element.toggleAttribute("hidden", !points);
      if (!points) return;
      element.firstElementChild.setAttribute("d", curve(points, edge.way.down));
      const label = element.querySelector(".label");
      if (!label) return;
      const at = (points.length >> 1) - 1, [one, other] = [points[at], points[at + 1]];
      label.setAttribute("transform", `translate(${(one[0] + other[0]) / 2 + edge.way.aside} ${(one[1] + other[1]) / 2})`);
    }

    // Nodes and boxes that can be reached, in the order of the page.
    reachable() {
      return Object.keys(this.now).filter((item) => this.elements[item] && this.shown(item) === item);
    }
  }

  const curve = (points, down) => points.slice(1).reduce((path, [x, y], at) => {
    const [px, py] = points[at], half = (y - py) / 2;
    const bow = half > 0 === down ? half : down ? DIP : -DIP;
    return `${path}C${px} ${py + bow} ${x} ${y - bow} ${x} ${y}`;
  }, `M${points[0][0]} ${points[0][1]}`);

  const views = data.views.map((info, at) => new View(info, world.querySelector(`[data-view="${at}"]`)));
  let view = views[0], selected = null, focused = null, hits = [], hit = -1;

  // Looking at a part.
  const eye = { x: 0, y: 0, zoom: 1 };
  let isFitted = true;
  const look = () => {
    isFitted = false;
    world.setAttribute("transform", `translate(${eye.x} ${eye.y}) scale(${eye.zoom})`);
  };
  const room = () => {
    const { width, height } = svg.getBoundingClientRect();
    return [width - (panel.hidden || width < 700 ? 0 : panel.offsetWidth), height];
  };
  const fit = () => {
    const [width, height] = room();
    const foot = $("legend").offsetHeight + 24;
    eye.zoom = Math.min(1.25, Math.max(0.05, Math.min(width / view.width, (height - foot) / view.tall)));
    eye.x = (width - view.width * eye.zoom) / 2;
    eye.y = Math.max(0, (height - foot - view.tall * eye.zoom) / 2);
    look();
    isFitted = true;
  };
  const zoomAt = (x, y, by) => {
    const zoom = Math.min(4, Math.max(0.05, eye.zoom * by));
    eye.x = x - ((x - eye.x) * zoom) / eye.zoom;
    eye.y = y - ((y - eye.y) * zoom) / eye.zoom;
    eye.zoom = zoom;
    look();
  };
  const zoomBy = (by) => {
    const [width, height] = room();
    zoomAt(width / 2, height / 2, by);
  };
  // Brings an item into sight.
  const show = (item) => {
    const [x, y, w, h] = view.now[item], [width, height] = room(), margin = 40;
    if (eye.zoom < 0.45) {
      eye.zoom = 0.9;
      eye.x = width / 2 - (x + w / 2) * eye.zoom;
      eye.y = height / 2 - (y + Math.min(h, 200) / 2) * eye.zoom;
    }
    const left = x * eye.zoom + eye.x, top = y * eye.zoom + eye.y;
    const right = left + Math.min(w * eye.zoom, width - 2 * margin), bottom = top + Math.min(h * eye.zoom, height - 2 * margin);
    eye.x += Math.max(0, margin - left) - Math.max(0, right - width + margin);
    eye.y += Math.max(0, margin - top) - Math.max(0, bottom - height + margin);
    look();
  };

  // Focus: one item can be tabbed to, arrows go on from there.
  const focus = (item, isSeen = true) => {
    if (focused && view.elements[focused]) view.elements[focused].setAttribute("tabindex", "-1");
    focused = item;
    const element = view.elements[item];
    element.setAttribute("tabindex", "0");
    if (isSeen) {
      element.focus({ preventScroll: true });
      show(item);
    }
  };
  const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
  const step = ([dx, dy]) => {
    const from = focused && view.shown(focused) === focused ? view.now[focused] : null;
    if (!from) return focus(view.reachable()[0]);
    const top = ([x, y, w, h], item) => [x + w / 2, item[0] === "g" ? y + HEADER / 2 : y + h / 2];
    const [fx, fy] = top(from, focused);
    let best = null, least = Infinity;
    for (const item of view.reachable()) {
      if (item === focused) continue;
      const [x, y] = top(view.now[item], item);
      const along = (x - fx) * dx + (y - fy) * dy, across = Math.abs((x - fx) * dy) + Math.abs((y - fy) * dx);
      const cost = along + 2.5 * across;
      if (along > 4 && cost < least) [best, least] = [item, cost];
    }
    if (best) focus(best);
  };

  // What is known of a node.
  const links = (title, found) => found.length ? [html("h3", { textContent: `${title} (${found.length})` }), html("ul", {}, ...found.map(([index, note]) => {
    const node = view.nodes[index];
    const button = html("button", { type: "button", onclick: () => select(index, true) }, node.address);
    if (note) button.append(html("small", { textContent: ` ${note}` }));
    return html("li", {}, button);
  }))] : [];
  const table = (rows) => html("table", {}, html("tbody", {}, ...rows.map(([name, ...value]) =>
    html("tr", {}, html("th", { scope: "row", textContent: name }), html("td", {}, ...value)))));
  const describe = (index) => {
    const node = view.nodes[index], own = view.edges.filter((edge) => edge.from === index || edge.to === index);
    const parts = [
      html("button", { type: "button", className: "close", ariaLabel: "Close", textContent: "✕", onclick: () => close() }),
      html("h2", { textContent: node.address }),
      html("p", { textContent: [node.type, node.cost && `${node.cost} estimated`].filter(Boolean).join(" · ") }),
    ];
    if (node.fate) {
      const line = html("p", {}, html("span", { className: `badge ${node.fate.does}`, textContent: node.fate.does }));
      if (node.fate.drifted && node.fate.does !== "drift") line.append(html("span", { className: "badge drift", textContent: "drifted" }));
      if (node.fate.reason) line.append(node.fate.reason);
      parts.push(line);
      if (node.fate.changes.length && node.fate.does !== "create") parts.push(html("h3", { textContent: "Changes" }), table(node.fate.changes.map((change) => {
        const cell = [];
        if (change.before !== null) cell.push(html("del", { textContent: change.before }), "\n");
        if (change.after !== null) cell.push(html("ins", { textContent: change.after }));
        if (change.replaces) cell.push("\n(forces replacement)");
        return [change.path, ...cell];
      })));
    }
    if (node.open) parts.push(html("p", { textContent: "How many there are is known once AWS has been asked." }));
    if (node.members.length) parts.push(html("h3", { textContent: `Instances (${node.members.length})` }), table(node.members.map((member, at) => [String(at + 1), member])));
    const values = node.attributes.map(([name, text]) => [name, text]);
    node.differing.forEach((name) => values.push([name, "(not the same in all)"]));
    if (values.length) parts.push(html("h3", { textContent: "Attributes" }), table(values));
    const uses = own.filter((edge) => edge.traffic === null);
    const traffic = own.filter((edge) => edge.traffic !== null);
    parts.push(
      ...links("Depends on", uses.filter((edge) => edge.from === index).map((edge) => [edge.to])),
      ...links("Needed by", uses.filter((edge) => edge.to === index).map((edge) => [edge.from])),
      ...links("May send to", traffic.filter((edge) => edge.from === index).map((edge) => [edge.to, edge.traffic])),
      ...links("Takes from", traffic.filter((edge) => edge.to === index).map((edge) => [edge.from, edge.traffic])),
    );
    panel.replaceChildren(...parts);
  };

  // Shows what is near the selected node, and leaves the rest in the background.
  const light = () => {
    const near = new Set(), marked = hits.length > 0 || search.value.trim() !== "";
    if (selected !== null) for (const edge of view.edges) {
      if (edge.from === selected) near.add(view.shown(view.nodes[edge.to].item));
      if (edge.to === selected) near.add(view.shown(view.nodes[edge.from].item));
    }
    const mine = selected === null ? null : view.shown(view.nodes[selected].item);
    const found = new Set(hits.map((index) => view.shown(view.nodes[index].item)));
    const isAround = (item) => item[0] === "g" && [mine, ...near].some((other) => other && view.isIn(other, +item.slice(1)));
    for (const [item, element] of Object.entries(view.elements)) {
      element.classList.toggle("selected", item === mine);
      element.classList.toggle("near", near.has(item) && item !== mine);
      const isOut = item[0] === "n" && ((selected !== null && item !== mine && !near.has(item)) || (selected === null && marked && !found.has(item)));
      element.classList.toggle("dim", isOut && !isAround(item));
    }
    for (const edge of view.edges) {
      if (!edge.way) continue;
      const isMine = selected !== null && (edge.from === selected || edge.to === selected);
      const element = view.paths[edge.way.at];
      element.classList.toggle("lit", isMine);
      element.classList.toggle("dim", (selected !== null && !isMine) || (selected === null && marked));
    }
    // What the picture leaves out, as it follows from other arrows.
    $("more")?.remove();
    if (selected === null) return;
    const more = make("g", { id: "more" });
    for (const edge of view.edges) {
      if (edge.way || (edge.from !== selected && edge.to !== selected)) continue;
      const [from, to] = [view.nodes[edge.from].item, view.nodes[edge.to].item];
      const above = view.now[view.shown(from)], below = view.now[view.shown(to)];
      if (!above || !below) continue;
      const down = above[1] <= below[1];
      const points = view.points({ from, to, down, beside: [0, 0], passes: [] });
      if (points) more.append(make("path", { d: curve(points, down) }));
    }
    view.root.insertBefore(more, view.root.querySelector(".node"));
  };
  const select = (index, isFar = false) => {
    selected = index;
    describe(index);
    panel.hidden = false;
    panel.scrollTop = 0;
    const item = view.nodes[index].item;
    // A node that is out of sight is shown, with every group around it open.
    if (view.shown(item) !== item) {
      for (let at = view.parentOf(item); at !== null; at = view.groups[at].parent) view.collapsed.delete(at);
      view.place();
    }
    light();
    focus(item, isFar);
  };
  const close = () => {
    selected = null;
    panel.hidden = true;
    light();
    if (focused) view.elements[focused].focus({ preventScroll: true });
  };

  const collapse = (index, isClosed = !view.collapsed.has(index)) => {
    if (isClosed) view.collapsed.add(index); else view.collapsed.delete(index);
    view.place();
    light();
    if (focused && view.shown(focused) !== focused) focus(view.shown(focused), document.activeElement === view.elements[focused]);
  };
  const collapseAll = () => {
    const isClosed = view.collapsed.size === 0;
    view.collapsed = new Set(isClosed ? [...view.groups.keys()].filter((group) => view.elements["g" + group]) : []);
    $("collapse").setAttribute("aria-pressed", String(isClosed));
    view.place();
    light();
    if (focused) focus(view.shown(focused), false);
    fit();
  };

  const find = () => {
    const wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    hits = wanted.length ? view.text.flatMap((text, index) => (wanted.every((word) => text.includes(word)) ? [index] : [])) : [];
    // Those whose address has it come first.
    const named = (index) => wanted.every((word) => view.nodes[index].address.toLowerCase().includes(word));
    hits.sort((one, other) => named(other) - named(one));
    hit = -1;
    $("found").textContent = wanted.length ? `${hits.length} found` : "";
    light();
  };
  const next = (by) => {
    if (!hits.length) return;
    hit = (hit + by + hits.length) % hits.length;
    $("found").textContent = `${hit + 1} of ${hits.length}`;
    select(hits[hit], false);
    show(view.nodes[hits[hit]].item);
  };

  const change = (at) => {
    close();
    view = views[at];
    views.forEach((other) => other.root.toggleAttribute("hidden", other !== view));
    $("whole").setAttribute("aria-pressed", String(at === 1));
    $("collapse").setAttribute("aria-pressed", String(view.collapsed.size > 0));
    focused = null;
    start();
    find();
    fit();
  };
  const theme = () => {
    const root = document.documentElement;
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
  };
  const help = (isShown = $("help").hidden) => {
    $("help").hidden = !isShown;
    $("keys").setAttribute("aria-expanded", String(isShown));
  };
  const start = () => {
    const first = view.reachable()[0];
    if (first) focus(first, false);
    const count = view.nodes.filter((node) => !node.type.startsWith("data ")).reduce((sum, node) => sum + Math.max(1, node.members.length), 0);
    const fates = {};
    for (const node of view.nodes) if (node.fate && node.fate.does !== "unchanged") fates[node.fate.does] = (fates[node.fate.does] || 0) + Math.max(1, node.members.length);
    $("summary").textContent = [counted(count, "resource"), ...Object.entries(fates).map(([does, number]) => `${number} ${does}`)].join(" · ");
  };

  // The mouse and fingers.
  const fingers = new Map();
  let dragged = 0;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    const box = svg.getBoundingClientRect();
    fingers.set(event.pointerId, [event.clientX - box.left, event.clientY - box.top]);
    dragged = 0;
  });
  svg.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const box = svg.getBoundingClientRect(), at = [event.clientX - box.left, event.clientY - box.top];
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]);
      zoomAt((at[0] + other[0]) / 2, (at[1] + other[1]) / 2, apart(at) / Math.max(1, apart(before)));
    }
    const part = other ? 0.5 : 1;
    dragged += Math.hypot(at[0] - before[0], at[1] - before[1]);
    if (dragged > 4 && !svg.hasPointerCapture(event.pointerId)) svg.setPointerCapture(event.pointerId);
    svg.classList.toggle("drags", dragged > 4);
    eye.x += (at[0] - before[0]) * part;
    eye.y += (at[1] - before[1]) * part;
    fingers.set(event.pointerId, at);
    look();
  });
  const lift = (event) => {
    fingers.delete(event.pointerId);
    svg.classList.remove("drags");
  };
  svg.addEventListener("pointerup", lift);
  svg.addEventListener("pointercancel", lift);
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = svg.getBoundingClientRect();
    zoomAt(event.clientX - box.left, event.clientY - box.top, Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0016)));
  }, { passive: false });
  svg.addEventListener("click", (event) => {
    if (dragged > 4) return;
    const sign = event.target.closest("[data-toggle]");
    if (sign) return collapse(+sign.dataset.toggle);
    const node = event.target.closest(".node");
    if (node) return select(+node.dataset.node);
    // Of a box, only its head is meant: the rest is ground to drag.
    const box = event.target.closest("[data-group]");
    if (!box || event.clientY - box.querySelector(".box").getBoundingClientRect().top > HEADER * eye.zoom) return close();
    if (box.dataset.node) select(+box.dataset.node); else collapse(+box.dataset.group);
  });

  // The keyboard.
  const act = (item) => {
    const index = view.byItem.get(item);
    if (index === undefined) collapse(+item.slice(1)); else { select(index); panel.focus({ preventScroll: true }); }
  };
  svg.addEventListener("focusin", (event) => {
    const element = event.target.closest("[data-node], [data-group]");
    const item = element && Object.keys(view.elements).find((item) => view.elements[item] === element);
    if (item && item !== focused) focus(item, false);
  });
  svg.addEventListener("keydown", (event) => {
    if (ARROWS[event.key]) step(ARROWS[event.key]);
    else if (event.key === "Enter" && focused) act(focused);
    else if (event.key === " " && focused) {
      let group = focused[0] === "g" ? +focused.slice(1) : view.parentOf(focused);
      // What only stands together has no box.
      while (group !== null && !view.elements["g" + group]) group = view.groups[group].parent;
      if (group !== null) collapse(group);
    } else return;
    event.preventDefault();
  });
  search.addEventListener("input", find);
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") next(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") {
      search.value = "";
      find();
      if (selected !== null) close();
      if (focused) view.elements[focused].focus({ preventScroll: true });
      event.stopPropagation();
    }
  });
  const KEYS = {
    "/": () => { search.focus(); search.select(); },
    "+": () => zoomBy(1.25), "=": () => zoomBy(1.25), "-": () => zoomBy(0.8), "0": fit,
    c: collapseAll, t: theme, "?": () => help(),
    i: () => views.length > 1 && change(view === views[0] ? 1 : 0),
    Escape: () => { if (!$("help").hidden) help(false); else close(); },
  };
  document.addEventListener("keydown", (event) => {
    const isTyped = event.target === search, key = KEYS[event.key];
    if (!key || isTyped || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    key();
  });
  $("in").onclick = () => zoomBy(1.25);
  $("out").onclick = () => zoomBy(0.8);
  $("fit").onclick = fit;
  $("theme").onclick = theme;
  $("keys").onclick = () => help();
  $("collapse").onclick = collapseAll;
  $("collapse").hidden = !view.groups.some((group) => group.what);
  $("whole").hidden = views.length < 2;
  $("whole").onclick = () => KEYS.i();

  for (const [what, name, text] of data.legend) {
    const dot = html("i");
    dot.style.setProperty("--dot", `var(--${name})`);
    $("legend").append(html("li", { className: what }, dot, text));
  }
  if (view.edges.some((edge) => edge.traffic !== null)) $("legend").append(html("li", { className: "line" }, html("i"), "lets in"));
  start();
  fit();
  addEventListener("resize", () => isFitted && fit());
})();
