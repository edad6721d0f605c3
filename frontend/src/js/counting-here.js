// A module's page: its key came with it.
import { count } from "./counting.js";

const key = document.documentElement.dataset.analytics;
if (key) count(key, { again: document.documentElement.hasAttribute("data-again") });
