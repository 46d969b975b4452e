// Draws the API page and signs its requests: HMAC-SHA256 over method, path with query, time and access key.
async function signed(request) {
  const accessKey = document.getElementById("access-key").value.trim();
  const secret = document.getElementById("secret-key").value.trim();
  const url = new URL(request.url, location.href);
  if (!accessKey || !secret || !url.pathname.includes("/api/")) return request;
  const timestamp = String(Date.now());
  const text = `${(request.method || "GET").toUpperCase()} ${url.pathname}${url.search}\n${timestamp}\n${accessKey}`;
  const encoder = new TextEncoder();
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(secret), hmac, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
  request.headers["x-ncp-apigw-timestamp"] = timestamp;
  request.headers["x-ncp-iam-access-key"] = accessKey;
  request.headers["x-ncp-apigw-signature-v2"] = btoa(String.fromCharCode(...mac));
  return request;
}

document.getElementById("keys").addEventListener("submit", (event) => event.preventDefault());

SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: signed,
});
