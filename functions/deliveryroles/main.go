// Command deliveryroles is the Lambda that heals what events of its kind may have harmed.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/relight-aws/relight/internal/app"
	"github.com/relight-aws/relight/internal/catalog"
)

func main() {
	a, err := app.New(context.Background(), catalog.Function(catalog.DeliveryRoles))
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(a.HandleEvent)
}
