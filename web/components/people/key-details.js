/* The exact names of a key, for those who compare them: closed until somebody opens it. */
import { h } from "../../vendor/vue.js";
import { words } from "../../words.js";

export function keyDetails(title, { uuid, fingerprint, fingerprint_sha256 }, address) {
  const rows = [
    [words.person.uuid, uuid, "uuid"],
    [words.person.sha256, fingerprint_sha256, "sha256"],
    [words.person.sha1, fingerprint, "sha1"],
  ];
  return h("details", { class: "key-details" }, [
    h("summary", title),
    h("dl", rows.map(([label, value, kind]) => [h("dt", label), h("dd", { class: kind }, value ? spaced(value, kind) : words.person.unknown)])),
    address && h("p", { class: "note" }, address),
  ]);
}

/** Hex in groups of four, which eyes can hold; as separate words, so that copying gives spaces. */
export function spaced(value, kind) {
  return kind === "uuid" ? value : value.match(/.{1,4}/g).join(" ");
}
