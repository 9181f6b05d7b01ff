package notification

import (
	"fmt"
	"regexp"

	"tandem/services/domain/event"
)

// Languages that a rider can choose.
const (
	spanish = "es"
	english = "en"
)

// kinds maps each event type to the kind that the inbox shows.
func kinds() map[string]string {
	return map[string]string{
		event.TypeRideAssigned: "assigned", event.TypeRideArrived: "arrived", event.TypeRidePickedUp: "picked_up",
		event.TypeRideCompleted: "completed", event.TypeRideCancelled: "cancelled",
		event.TypeRideUnfulfilled: "unfulfilled", event.TypeRideRequeued: "requeued",
	}
}

// text is what the rider reads: a sentence of ours, in which nothing stands that a
// person wrote. A text bears our name, so whoever could put words into it could make
// us say them.
func text(language string, n notice) string {
	if language == spanish {
		return textES(n)
	}
	return textEN(n)
}

func textEN(n notice) string {
	operator := n.Reason == event.ReasonOperator
	switch {
	case n.Kind == "assigned":
		return fmt.Sprintf("Your driver is on the way%s.", plate(", plate ", n))
	case n.Kind == "arrived":
		return fmt.Sprintf("Your driver is here%s.", plate(", plate ", n))
	case n.Kind == "picked_up":
		return "Your trip has begun."
	case n.Kind == "completed" && operator:
		return "An operator has ended your trip."
	case n.Kind == "completed":
		return "You have arrived. Thank you for riding."
	case n.Kind == "cancelled" && operator:
		return "An operator has cancelled your ride."
	case n.Kind == "cancelled":
		return "Your ride was cancelled."
	case n.Kind == "unfulfilled":
		return "We found no driver for your ride in time."
	default:
		return "Your driver cannot come. We are looking for another one."
	}
}

func textES(n notice) string {
	operator := n.Reason == event.ReasonOperator
	switch {
	case n.Kind == "assigned":
		return fmt.Sprintf("Tu conductor está en camino%s.", plate(", matrícula ", n))
	case n.Kind == "arrived":
		return fmt.Sprintf("Tu conductor llegó%s.", plate(", matrícula ", n))
	case n.Kind == "picked_up":
		return "Tu viaje comenzó."
	case n.Kind == "completed" && operator:
		return "Un operador terminó tu viaje."
	case n.Kind == "completed":
		return "Llegaste. Gracias por viajar."
	case n.Kind == "cancelled" && operator:
		return "Un operador canceló tu viaje."
	case n.Kind == "cancelled":
		return "Tu viaje fue cancelado."
	case n.Kind == "unfulfilled":
		return "No encontramos conductor a tiempo para tu viaje."
	default:
		return "Tu conductor no puede ir. Buscamos otro."
	}
}

// codeText is the text with a code.
func codeText(language, code string) string {
	if language == spanish {
		return fmt.Sprintf("Tu código de Tandem es %s. Vale por %d minutos. No se lo digas a nadie.", code, int(codeLife.Minutes()))
	}
	return fmt.Sprintf("Your Tandem code is %s. It is good for %d minutes. Tell it to nobody.", code, int(codeLife.Minutes()))
}

// plates is what a number plate looks like. Anything else could be words.
var plates = regexp.MustCompile(`^[A-Z]{3} [0-9]{4}$`)

func plate(before string, n notice) string {
	if !plates.MatchString(n.Plate) {
		return ""
	}
	return before + n.Plate
}
