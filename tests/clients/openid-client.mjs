// openid-client as an application with a secret: discovery, code with PKCE, refresh, introspection, revocation, and by itself.
import * as client from "openid-client";
import { asked, done, goTo } from "./talk.mjs";

const config = await client.discovery(new URL(asked.issuer), asked.clientId, asked.secret, client.ClientSecretBasic(asked.secret), {
  algorithm: "oauth2",
  execute: [client.allowInsecureRequests],
});
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const address = client.buildAuthorizationUrl(config, {
  redirect_uri: asked.redirectUri,
  scope: "read",
  state,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});
const first = await client.authorizationCodeGrant(config, await goTo(address), { pkceCodeVerifier: verifier, expectedState: state });
const second = await client.refreshTokenGrant(config, first.refresh_token);
const live = await client.tokenIntrospection(config, second.access_token);
await client.tokenRevocation(config, second.refresh_token);
const dead = await client.tokenIntrospection(config, second.access_token);
const refused = await client.refreshTokenGrant(config, second.refresh_token).then(
  () => "given",
  (error) => error.error,
);
const own = await client.clientCredentialsGrant(config, { scope: "read", resource: asked.site });
const read = await client.fetchProtectedResource(config, own.access_token, new URL(asked.resource), "GET");
done({
  live: [live.active, live.scope, live.aud, live.client_id],
  dead,
  refused,
  own: [own.scope, own.refresh_token ?? null, read.status],
});
