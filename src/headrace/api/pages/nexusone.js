// Draws the page of NexusOne's dialect. "Authorize" gets a token from this server, or takes one, or a key.
SwaggerUIBundle({
  url: "nexusone.json",
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: null,
});
