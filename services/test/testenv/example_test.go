package testenv_test

import (
	"context"
	"fmt"

	"tandem/services/test/testenv"
)

func ExampleExample() {
	tb, stop := testenv.Example()
	defer stop()

	_, pool := testenv.Database(tb)
	var one int
	fmt.Println(pool.QueryRow(context.Background(), "SELECT 1").Scan(&one), one)
	// Output: <nil> 1
}
