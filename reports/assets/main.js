'use strict';
upbench.startTables();
upbench.startViewer();
upbench.startPlots().finally(() => { document.documentElement.dataset.ready = ''; });
