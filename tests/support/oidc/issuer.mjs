// An OpenID Connect issuer for the tests: its keys live as long as the process, so that a new start is a rotation.
import { randomUUID } from "node:crypto";
import { exportJWK, generateKeyPair } from "jose";
import Provider from "oidc-provider";

const port = Number(process.env.PORT);
const alg = process.env.ALG ?? "RS256";

const { privateKey } = await generateKeyPair(alg, { extractable: true });
const key = { ...(await exportJWK(privateKey)), alg, use: "sig", kid: randomUUID() };

const client = (name) => ({
  client_id: name,
  client_secret: `secret of ${name}`,
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
  id_token_signed_response_alg: alg,
});

const said = {
  alice: { email: "alice@example.org", realm_access: { roles: ["nx1_ingest", "nx1_monitor", "offline_access"] } },
  boss: { preferred_username: "boss", realm_access: { roles: ["nx1_monitor_admin"] } },
  nobody: { preferred_username: "nobody", realm_access: { roles: ["uma_authorization"] } },
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [key] },
  clients: Object.keys(said).map(client),
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (context, resource) => ({
        scope: "",
        audience: resource.replace(/^urn:/, ""),
        accessTokenFormat: "jwt",
        accessTokenTTL: 300,
        jwt: { sign: { alg } },
      }),
    },
  },
  extraTokenClaims: (context, token) => said[token.clientId],
});

provider.listen(port, "127.0.0.1", () => console.log("ready"));
