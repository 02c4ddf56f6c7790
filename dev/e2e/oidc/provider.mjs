// An identity provider for dev/e2e/oidc.py: node provider.mjs PORT SERVER, with the settings of the people in it. Everybody's
// password is right; who they are and in which groups is written here.
import { Provider } from 'oidc-provider';

const [port, server] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;
const groups = { ada: ['ml', 'everybody'], bob: ['everybody'], root: ['ml-admins'] };

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'sealyard',
      client_secret: 'a secret of the test',
      redirect_uris: [`${server}/auth/oidc/corp/callback`],
      post_logout_redirect_uris: [`${server}/login`],
      backchannel_logout_uri: `${server}/auth/oidc/corp/backchannel`,
      backchannel_logout_session_required: true,
    },
    { client_id: 'ci', client_secret: 'another one', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
    { client_id: 'stranger', client_secret: 'a third', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
  ],
  claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
  conformIdTokenClaims: false,
  findAccount: (_, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, preferred_username: id, groups: groups[id] ?? [] }),
  }),
  features: {
    backchannelLogout: { enabled: true },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_, resource) => ({
        audience: resource, scope: 'api', accessTokenFormat: 'jwt', accessTokenTTL: 300, jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
  // The server is on this machine, which the provider's own guard would keep it from asking.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  pkce: { required: () => true },
});
provider.on('server_error', (_, error) => console.error('server_error', error));
provider.on('backchannel.error', (_, error) => console.error('backchannel.error', error));
provider.on('backchannel.success', () => console.error('backchannel.success'));
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
