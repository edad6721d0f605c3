import "./timegrid.js";
