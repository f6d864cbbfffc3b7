// Command backfill is the Lambda function that sweeps every kind. The schedule,
// the first sweep after a deployment and people invoke it.
package main

import "github.com/relight-aws/relight/internal/serve"

func main() { serve.Backfill() }
