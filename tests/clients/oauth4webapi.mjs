// oauth4webapi as an application without a secret: discovery, code with PKCE and iss, refresh, the API, revocation.
import * as oauth from "oauth4webapi";
import { asked, done, goTo } from "./talk.mjs";

const plain = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(asked.issuer);
const server = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...plain }),
);
const client = { client_id: asked.clientId };
const auth = oauth.None();
const verifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const address = new URL(server.authorization_endpoint);
address.search = new URLSearchParams({
  client_id: client.client_id,
  redirect_uri: asked.redirectUri,
  response_type: "code",
  scope: "read",
  state,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
});
const back = oauth.validateAuthResponse(server, client, await goTo(address), state);
const first = await oauth.processAuthorizationCodeResponse(
  server,
  client,
  await oauth.authorizationCodeGrantRequest(server, client, auth, back, asked.redirectUri, verifier, plain),
);
const read = (token) => oauth.protectedResourceRequest(token, "GET", new URL(asked.resource), undefined, undefined, plain);
const before = (await read(first.access_token)).status;
const second = await oauth.processRefreshTokenResponse(
  server,
  client,
  await oauth.refreshTokenGrantRequest(server, client, auth, first.refresh_token, plain),
);
await oauth.processRevocationResponse(await oauth.revocationRequest(server, client, auth, second.refresh_token, plain));
const challenges = await read(second.access_token).then(
  () => [],
  (error) => error.cause.map((one) => [one.scheme, one.parameters.error]),
);
done({
  issuer: back.get("iss"),
  scope: first.scope,
  lasts: first.expires_in,
  before,
  rotated: first.refresh_token !== second.refresh_token,
  after: challenges,
});
