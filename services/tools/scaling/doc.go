// Package scaling shows what queue/autoscale decides: on a day that is simulated
// (Day), and on a Tandem that runs (Record, Watch). Both are plotted by the same code
// (WriteSVG). The package changes nothing: in `tandem demo` the supervisor acts on the same
// decisions, and elsewhere Watch prints the command for a person.
package scaling
