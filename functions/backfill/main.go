// Command backfill is the Lambda behind the schedule, the first sweep after a
// deployment, and manual invocation.
package main

import (
	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

func main() { app.Serve(catalog.Backfill) }
