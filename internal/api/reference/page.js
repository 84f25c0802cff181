// Draws the reference from openapi.json: what each operation takes and gives,
// and a form to try it. Texts become text nodes, never markup.
"use strict";

const make = (tag, props = {}, ...children) => {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children);
  return e;
};

const resolve = (doc, s) => {
  while (s && s.$ref) s = s.$ref.split("/").slice(1).reduce((o, k) => o[k], doc);
  return s || {};
};

const kind = (doc, schema) => {
  const s = resolve(doc, schema);
  const type = [].concat(s.type || "any").join(" or ");
  if (type === "array") return "list of " + kind(doc, s.items);
  return type;
};

const limits = (s) => {
  const out = [];
  if (s.enum) out.push(s.enum.filter((e) => e !== null).join(", "));
  if (s.minimum !== undefined || s.maximum !== undefined) out.push((s.minimum ?? "") + " to " + (s.maximum ?? ""));
  if (s.multipleOf) out.push("steps of " + s.multipleOf);
  if (s.minItems !== undefined || s.maxItems !== undefined) out.push((s.minItems ?? 0) + " to " + (s.maxItems ?? "") + " entries");
  if (s.default !== undefined) out.push("default " + JSON.stringify(s.default));
  return out.join("; ");
};

// A table scrolls by itself, also by keyboard, where the screen is too narrow.
const table = (label, heads, rows) => make("div", { className: "scroll", role: "region", ariaLabel: label, tabIndex: 0 }, make("table", {},
  make("thead", {}, make("tr", {}, ...heads.map((h) => make("th", { scope: "col", textContent: h })))),
  make("tbody", {}, ...rows.map((r) => make("tr", {}, ...r.map((c) => make("td", {}, c)))))));

const heads = ["member", "type", "accepts", "meaning"];

const fields = (doc, schema, prefix = "", depth = 0) => {
  const s = resolve(doc, schema);
  const rows = [];
  for (const [name, p] of Object.entries(s.properties || {})) {
    const one = resolve(doc, p);
    const need = (s.required || []).includes(name);
    rows.push([make("code", { textContent: prefix + name }), kind(doc, p) + (need ? "" : ", optional"), limits(one), p.description || one.description || ""]);
    const inner = one.type === "array" || [].concat(one.type).includes("array") ? resolve(doc, one.items) : one;
    if (inner.properties && depth < 3) rows.push(...fields(doc, inner, prefix + name + (inner === one ? "." : "[]."), depth + 1));
  }
  return rows;
};

const example = (p) => p.example ?? (p.schema.examples || [])[0] ?? p.schema.default ?? "";

const attempt = (path, method, op, media, sample) => {
  const form = make("div");
  const inputs = (op.parameters || []).filter((p) => p.in !== "header").map((p) => {
    const input = make("input", { value: p.required ? example(p) : "", ariaLabel: p.name });
    form.append(make("p", {}, make("label", {}, make("code", { textContent: p.name + " " }), input)));
    return [p, input];
  });
  const text = typeof sample === "string" ? sample : JSON.stringify(sample, null, 2);
  const body = media && make("textarea", { value: text, rows: Math.min(text.split("\n").length + 1, 20), spellcheck: false, ariaLabel: "body" });
  if (body) form.append(body);
  const answer = make("pre", { hidden: true, ariaLive: "polite" });
  const button = make("button", { textContent: "Send" });
  button.addEventListener("click", async () => {
    let url = path;
    const query = new URLSearchParams();
    for (const [p, input] of inputs) {
      if (p.in === "path") url = url.replace("{" + p.name + "}", encodeURIComponent(input.value));
      else if (input.value !== "") query.set(p.name, input.value);
    }
    if (query.size) url += "?" + query;
    const headers = {};
    const key = document.getElementById("key").value;
    if (key) headers["X-API-Key"] = key;
    if (media) headers["Content-Type"] = media;
    answer.hidden = false;
    answer.textContent = "…";
    try {
      const r = await fetch(url, { method: method.toUpperCase(), headers, body: body ? body.value : undefined });
      let text = await r.text();
      try { text = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
      answer.className = r.ok ? "" : "bad";
      answer.textContent = r.status + " " + r.statusText + "\n" + text.slice(0, 200000);
    } catch (e) {
      answer.className = "bad";
      answer.textContent = String(e);
    }
  });
  form.append(make("p", {}, button), answer);
  return form;
};

const operation = (doc, path, method, op) => {
  const box = make("details", { id: op.operationId });
  box.append(make("summary", {}, make("b", { className: method, textContent: method.toUpperCase() }), make("code", { textContent: " " + path + " " }), op.summary || ""));
  if (op.description) box.append(make("p", { textContent: op.description }));
  if (op.parameters) {
    box.append(make("h3", { textContent: "Parameters" }), table("Parameters", ["name", "in", "accepts", "meaning"], op.parameters.map((p) =>
      [make("code", { textContent: p.name }), p.in + (p.required ? "" : ", optional"), kind(doc, p.schema) + (limits(p.schema) ? ": " + limits(p.schema) : ""), p.description || ""])));
  }
  const content = (op.requestBody || {}).content || {};
  const [media, body] = Object.entries(content)[0] || [];
  if (media) {
    box.append(make("h3", { textContent: "Body, " + Object.keys(content).join(" or ") }));
    if (body.schema && body.schema.description) box.append(make("p", { textContent: body.schema.description }));
    const rows = fields(doc, body.schema);
    if (rows.length) box.append(table("Members", heads, rows));
  }
  box.append(make("h3", { textContent: "Answers" }));
  for (const [status, r] of Object.entries(op.responses || {})) {
    const schema = Object.values(r.content || {}).map((c) => c.schema)[0];
    const rows = schema && status[0] === "2" ? fields(doc, schema) : [];
    if (rows.length) {
      box.append(make("details", {}, make("summary", { textContent: status + " " + r.description }), table("Members", heads, rows)));
    } else {
      box.append(make("p", { textContent: status + " " + (r.description || "") }));
    }
  }
  box.append(make("h3", { textContent: "Try it" }), attempt(path, method, op, media, media ? body.example ?? {} : undefined));
  return box;
};

const draw = async () => {
  const doc = await (await fetch("/openapi.json")).json();
  document.getElementById("about").prepend(doc.info.description + " Version " + doc.info.version + ". ");
  const main = document.getElementById("operations");
  for (const tag of doc.tags) {
    const section = make("section", {}, make("h2", { textContent: tag.name }), make("p", { textContent: tag.description }));
    for (const [path, item] of Object.entries(doc.paths)) {
      for (const [method, op] of Object.entries(item)) {
        if ((op.tags || []).includes(tag.name)) section.append(operation(doc, path, method, op));
      }
    }
    main.append(section);
    document.getElementById("contents").append(make("a", { href: "#" + tag.name, textContent: tag.name }), " ");
    section.id = tag.name;
  }
};

// An address that ends in the name of an operation shows it opened.
const show = () => {
  const box = document.getElementById(location.hash.slice(1));
  if (!box) return;
  box.open = true;
  box.scrollIntoView();
};
window.addEventListener("hashchange", show);

draw().then(show).catch((e) => document.getElementById("operations").append(make("p", { className: "bad", textContent: "openapi.json could not be read: " + e })));
