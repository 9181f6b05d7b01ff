package supervisor

import (
	"iter"
	"slices"
)

// stages returns the processes of each stage, the last stage first.
func stages(procs []*process) iter.Seq[[]*process] {
	byStage := map[int][]*process{}
	var order []int

	for _, p := range procs {
		if _, seen := byStage[p.spec.Stage]; !seen {
			order = append(order, p.spec.Stage)
		}
		byStage[p.spec.Stage] = append(byStage[p.spec.Stage], p)
	}

	slices.Sort(order)
	slices.Reverse(order)

	return func(yield func([]*process) bool) {
		for _, n := range order {
			if !yield(byStage[n]) {
				return
			}
		}
	}
}
