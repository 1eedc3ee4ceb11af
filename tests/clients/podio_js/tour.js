// An integration as people have written them for Podio: podio-js, and a web server that hooks call.
//
// `node tour.js '{"url", "client_id", "client_secret", "app_id", "app_token"}'` walks from the login to the deletion of the
// hook and prints what it saw as one JSON object. It knows nothing of Tidings but the address.

'use strict';

const http = require('http');
const querystring = require('querystring');
const { api: PodioJS } = require('podio-js');

const settings = JSON.parse(process.argv[2]);
const seen = { deliveries: [], errors: {} };
const waiting = [];

const podio = new PodioJS(
  { authType: 'app', clientId: settings.client_id, clientSecret: settings.client_secret },
  { apiURL: settings.url }
);

// The handler of Podio's own tutorials: it validates from inside, before it answers.
const server = http.createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => { body += chunk; });
  request.on('end', async () => {
    const form = querystring.parse(body);
    if (form.type === 'hook.verify') {
      await podio.request('POST', `/hook/${form.hook_id}/verify/validate`, { code: form.code });
    }
    response.end();
    seen.deliveries.push({ type: request.headers['content-type'], target: request.url, form: { ...form } });
    waiting.splice(0).forEach((wake) => wake());
  });
});

async function delivered(type) {
  while (!seen.deliveries.some((each) => each.form.type === type)) {
    await new Promise((resolve) => waiting.push(resolve));
  }
}

async function failing(name, call) {
  try {
    await call();
  } catch (error) {
    seen.errors[name] = { name: error.name, status: error.status, error: error.message.error };
  }
}

async function tour() {
  await new Promise((resolve, reject) => {
    podio.authenticateWithApp(settings.app_id, settings.app_token, (error) => (error ? reject(error) : resolve()));
  });
  seen.ref = podio.authObject.ref;

  const hooks = `/hook/app/${settings.app_id}/`;
  const target = `http://127.0.0.1:${server.address().port}/in?key=k`;
  const ids = {};
  for (const type of ['item.create', 'item.update', 'item.delete']) {
    ids[type] = (await podio.request('POST', hooks, { url: target, type })).hook_id;
  }
  seen.request = await podio.request('POST', `/hook/${ids['item.create']}/verify/request`, {});
  while ((await podio.request('GET', hooks)).some((hook) => hook.status !== 'active')) {
    await delivered('hook.verify');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  seen.hooks = await podio.request('GET', hooks);

  const item = await podio.request('POST', `/item/app/${settings.app_id}/`, { external_id: 'js-1', fields: { title: 'From podio-js' } });
  await delivered('item.create');
  seen.updated = await podio.request('PUT', `/item/${item.item_id}`, { fields: { status: 'Done' } });
  await delivered('item.update');
  seen.item = await podio.request('GET', `/item/${item.item_id}?mark_as_viewed=false`);
  seen.filtered = await podio.request('POST', `/item/app/${settings.app_id}/filter/`, { filters: { status: [3] }, limit: 5 });
  await failing('conflict', () => podio.request('PUT', `/item/${item.item_id}`, { revision: 0, fields: { title: 'Stale' } }));
  seen.deleted = await podio.request('DELETE', `/item/${item.item_id}`);
  await delivered('item.delete');

  await failing('gone', () => podio.request('GET', `/item/${item.item_id}`));
  await failing('not found', () => podio.request('GET', '/item/999999'));
  await failing('no such path', () => podio.request('GET', '/view/app/1/'));
  await failing('invalid', () => podio.request('POST', hooks, { url: 'ftp://example.org/', type: 'item.create' }));
  ids.unproved = (await podio.request('POST', hooks, { url: 'http://127.0.0.1:9/', type: 'app.update' })).hook_id;
  await failing('wrong code', () => podio.request('POST', `/hook/${ids.unproved}/verify/validate`, { code: 'b9079247' }));
  await failing('forbidden', () => podio.request('GET', '/org/'));

  // A token that has died is refreshed without a word, and the call is made again.
  const refreshed = podio.authObject.refreshToken;
  podio.authObject.accessToken = 'expired';
  seen.afterRefresh = (await podio.request('GET', `/app/${settings.app_id}`)).app_id;
  seen.rotated = podio.authObject.refreshToken !== refreshed;

  for (const hookId of Object.values(ids)) {
    seen.hookDeleted = await podio.request('DELETE', `/hook/${hookId}`);
  }
  seen.hooksLeft = await podio.request('GET', hooks);
}

server.listen(0, '127.0.0.1', () => {
  tour()
    .then(() => process.stdout.write(JSON.stringify(seen)))
    .catch((error) => {
      process.stderr.write(`${error.stack || error}\n${JSON.stringify(error)}\n${JSON.stringify(seen)}\n`);
      process.exitCode = 1;
    })
    .finally(() => server.close(() => process.exit()));
  server.closeAllConnections && setTimeout(() => server.closeAllConnections(), 60000).unref();
});
