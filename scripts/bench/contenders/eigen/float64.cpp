#include "eigen.hpp"

template bench::Offer eigen::offer_of<double>(bench::Line& line, bool is_fixed);
