/** The kernel's logo, a data URL. */
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">' +
  '<rect x="4" y="8" width="56" height="48" rx="8" fill="#2457a6"/>' +
  '<path d="M4 20h56" stroke="#fff" stroke-width="3"/>' +
  '<circle cx="12" cy="14" r="2.5" fill="#ffd43b"/><circle cx="20" cy="14" r="2.5" fill="#fff"/>' +
  '<path d="M14 46c8 0 10-18 18-18s10 12 18 12" fill="none" stroke="#ffd43b" stroke-width="5" stroke-linecap="round"/>' +
  '</svg>';

export const LOGO_URL = `data:image/svg+xml;base64,${btoa(SVG)}`;
