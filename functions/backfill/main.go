// Command backfill is the Lambda behind the schedule, the first sweep after a
// deployment, and manual invocation.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

func main() {
	a, err := app.New(context.Background(), catalog.Backfill)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(a.HandleBackfill)
}
