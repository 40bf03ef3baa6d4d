// GraphiQL page for the /graphql endpoint of the same service.
import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './page.css';

import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { createRoot } from 'react-dom/client';

import operations from './operations.graphql?raw';
import { storage } from './storage.js';

const url = new URL('/graphql', window.location.href);
const socket = new URL(url);
socket.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';

const variables = JSON.stringify({ username: 'admin', password: '' }, null, 2);
const headers = JSON.stringify({ Authorization: 'Bearer ' }, null, 2);

createRoot(document.getElementById('graphiql')).render(
  <GraphiQL
    // The contents of the headers pane are also sent when a WebSocket opens.
    fetcher={createGraphiQLFetcher({ url: url.href, subscriptionUrl: socket.href })}
    storage={storage}
    initialQuery={operations}
    initialVariables={variables}
    initialHeaders={headers}
    defaultHeaders={headers}
    defaultEditorToolsVisibility="headers"
    isHeadersEditorEnabled
    shouldPersistHeaders={false}
  />,
);
