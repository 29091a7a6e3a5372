"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("sway-figures").textContent);
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const config = { displaylogo: false, displayModeBar: false, responsive: true };

  // Colours of the page, so that charts stay readable on light and on dark.
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function layout(figure) {
    const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--soft"), linecolor: colour("--line") };
    const given = figure.layout;
    return {
      ...given,
      font: { color: colour("--ink"), family: "system-ui, sans-serif", size: 13 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      xaxis: { ...axis, ...given.xaxis },
      yaxis: { ...axis, ...given.yaxis },
    };
  }

  // Intervals are drawn like text: bars of either colour lie under them.
  const trace = (one) => (one.error_x ? { ...one, error_x: { ...one.error_x, color: colour("--ink") } } : one);

  function draw() {
    for (const [id, figure] of Object.entries(figures)) {
      Plotly.react(id, figure.data.map(trace), layout(figure), config);
    }
  }

  draw();
  dark.addEventListener("change", draw);
})();
