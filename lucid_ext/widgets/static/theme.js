// Light or dark, as the page around the view is: JupyterLab, VS Code, Colab, or the system.

const query = () => window.matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is dark. */
export function isDark() {
  const { body, documentElement } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (body.dataset.vscodeThemeKind) return body.dataset.vscodeThemeKind.includes("dark");
  if (documentElement.hasAttribute("theme")) return documentElement.getAttribute("theme") === "dark";
  return query().matches;
}

/** Call `tell(dark)` now and at every change; returns how to stop. */
export function watchTheme(tell) {
  const look = () => tell(isDark());
  const observer = new MutationObserver(look);
  const attributeFilter = ["data-jp-theme-light", "data-vscode-theme-kind", "theme"];
  observer.observe(document.body, { attributes: true, attributeFilter });
  observer.observe(document.documentElement, { attributes: true, attributeFilter });
  const system = query();
  system.addEventListener("change", look);
  look();
  return () => {
    observer.disconnect();
    system.removeEventListener("change", look);
  };
}
