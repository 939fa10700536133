// Tables as CSV that no spreadsheet takes for a formula.

type Value = string | number | null | undefined;

/** A text that no spreadsheet evaluates: one that begins like a formula gets an apostrophe. */
export const inert = (text: string): string => (/^\s*[=+\-@\t\r]/.test(text) ? `'${text}` : text);

function cell(value: Value): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = inert(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export const csv = (head: readonly string[], lines: readonly (readonly Value[])[]): string => `${[head, ...lines].map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;

/** Hands a file to the reader. */
export function save(content: Blob | string, name: string, type = "text/csv;charset=utf-8") {
  const address = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type }) : content);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
