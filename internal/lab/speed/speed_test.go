package speed

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/relight-aws/relight/internal/lab"
)

// against is the root of another checkout, whose relight TestAgainst measures beside this one.
var against = flag.String("against", "", "root of another checkout of relight to measure in turn with this one")

// record is where TestAgainst writes its medians.
var record = flag.String("record", "", "file for the medians of both checkouts")

// stormy makes TestStorm run.
var stormy = flag.Bool("storm", false, "run the storms")

// arena is the lab that all tests share.
var arena *lab.Arena

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Minute)
	defer cancel()
	var err error
	if arena, err = open(ctx, ""); err != nil {
		fmt.Println(err)
		return 1
	}
	code := m.Run()
	if err := arena.Cloud.Close(); err != nil {
		fmt.Println("the lab itself failed:", err)
		return 1
	}
	return code
}

// open starts a lab with relight of a checkout, by default of this one.
func open(ctx context.Context, checkout string) (*lab.Arena, error) {
	begin := time.Now()
	return lab.Open(ctx, lab.Options{Checkout: checkout}, func(step string) {
		fmt.Printf("%4.0fs  %s\n", time.Since(begin).Seconds(), step)
	})
}
