"""The face: what a team does with oncue in the browser, and the management API. Django serves it; events and callbacks never come here."""
