//! Plots as inline SVG: bars and points with their axes, and nothing that needs a script.
