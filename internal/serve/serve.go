// Package serve runs an App as a Lambda function. It is apart from app because
// the Lambda runtime is of no use to the command line, which links app too, and
// would make it three times as large.
package serve

import (
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/awsio"
	"github.com/relight-aws/relight/internal/catalog"
)

// Events runs the function that handles the events of a kind. It links the clients
// of that kind alone, so that it starts quickly. It ends the process if the function
// cannot start, with every problem in the log.
func Events(k awsio.Kind) {
	a, err := app.New(catalog.Function(k.Of), k)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(a.HandleEvent)
}

// Backfill runs the function that sweeps every kind, and ends the process likewise.
func Backfill() {
	a, err := app.New(catalog.Backfill, awsio.AllKinds()...)
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(a.HandleBackfill)
}
