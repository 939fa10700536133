// The look that was chosen, kept where the browser lets us.

import { useCallback, useEffect, useLayoutEffect, useState } from "preact/hooks";
import type { Theme } from "../model/colour";

export type Look = Theme | "system";
const KEY = "clio-look";

function kept(): Look {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system"; // a sandboxed frame has no storage
  }
}

export function useLook(): { look: Look; theme: Theme; choose: (look: Look) => void } {
  const [look, setLook] = useState<Look>(kept);
  const [system, setSystem] = useState<Theme>(() => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  useEffect(() => {
    const asked = matchMedia("(prefers-color-scheme: dark)");
    const change = () => setSystem(asked.matches ? "dark" : "light");
    asked.addEventListener("change", change);
    return () => asked.removeEventListener("change", change);
  }, []);
  const theme = look === "system" ? system : look;
  // before the effects of the map, which reads the colours
  useLayoutEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  const choose = useCallback((to: Look) => {
    setLook(to);
    try {
      localStorage.setItem(KEY, to);
    } catch {
      // as above: the choice holds for this page only
    }
  }, []);
  return { look, theme, choose };
}

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const asked = matchMedia(query);
    const change = () => setMatches(asked.matches);
    change();
    asked.addEventListener("change", change);
    return () => asked.removeEventListener("change", change);
  }, [query]);
  return matches;
}
