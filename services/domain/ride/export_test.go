package ride

// KeepDemand computes a span's demand, as one who has not seen that another was first.
var KeepDemand = (*Store).keepDemand
