// Begins; everything above only declares.

show();
document.documentElement.dataset.ready = String(performance.now());
