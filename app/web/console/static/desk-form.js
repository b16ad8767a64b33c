// A form's fields as they can be kept and put back. The keys of a form are never kept: each sending has its own.
const fields = (of) => [...of.elements].filter((one) => one.name && !["once", "call_id"].includes(one.name));

export function values(of) {
  return Object.fromEntries(fields(of).filter((one) => !["radio", "checkbox"].includes(one.type) || one.checked).map((one) => [one.name, one.value]));
}

export function write(of, kept) {
  for (const one of fields(of)) {
    if (["radio", "checkbox"].includes(one.type)) one.checked = kept[one.name] === one.value;
    else one.value = kept[one.name] ?? "";
    one.show?.();
  }
}

export function newKey(of) {
  of.elements.once.value = Array.from(crypto.getRandomValues(new Uint8Array(18)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
